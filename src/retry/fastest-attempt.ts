/** A measured time is used for one to two times this long. */
const PERIOD_MS = 60_000;

/** The shortest time of a recent attempt. An attempt with less time left cannot succeed. */
export class FastestAttempt {
  #periodEndsAtMs = Number.NEGATIVE_INFINITY;
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;

  record(durationMs: number, nowMs: number): void {
    this.#turn(nowMs);
    if (durationMs < this.#current) this.#current = durationMs;
  }

  /** In milliseconds; 0 while it is unknown. */
  leastMs(nowMs: number): number {
    this.#turn(nowMs);
    const least = Math.min(this.#current, this.#previous);
    return Number.isFinite(least) ? least : 0;
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#periodEndsAtMs) return;
    this.#previous = nowMs < this.#periodEndsAtMs + PERIOD_MS ? this.#current : Number.POSITIVE_INFINITY;
    this.#current = Number.POSITIVE_INFINITY;
    this.#periodEndsAtMs = nowMs + PERIOD_MS;
  }
}

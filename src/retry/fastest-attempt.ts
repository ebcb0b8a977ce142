/** How long a reading is believed, at least; at most twice as long. */
const PERIOD_MS = 60_000;

/** The least time that an attempt took lately: what has less than that left can't end well. Two numbers of memory. */
export class FastestAttempt {
  #periodEndsAtMs = Number.NEGATIVE_INFINITY;
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;

  record(durationMs: number, nowMs: number): void {
    this.#turn(nowMs);
    if (durationMs < this.#current) this.#current = durationMs;
  }

  /** In milliseconds; 0 while nothing is known. */
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

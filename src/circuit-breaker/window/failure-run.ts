/**
 * Counts failures in a row whatever the time between them, so that low traffic can open a breaker that its window
 * never could. A success ends the run; every full `decayMs` since the last failure takes one failure off it, so that
 * a failure a day never adds up.
 */
export class FailureRun {
  readonly #decayMs: number;
  #length = 0;
  #lastFailureAtMs = 0;

  constructor(decayMs: number) {
    this.#decayMs = decayMs;
  }

  recordFailure(nowMs: number): number {
    this.#length = this.length(nowMs) + 1;
    this.#lastFailureAtMs = nowMs;
    return this.#length;
  }

  end(): void {
    this.#length = 0;
  }

  length(nowMs: number): number {
    const forgotten = Math.floor(Math.max(0, nowMs - this.#lastFailureAtMs) / this.#decayMs);
    return Math.max(0, this.#length - forgotten);
  }
}

/** The verdict of a trial, once enough probes have ended. */
export type TrialVerdict = 'close' | 'open';

/**
 * Lets at most `maxCalls` probes run at once, and decides by their results. It closes as soon as `successRatio` is
 * certain, and opens as soon as it is out of reach. A neutral probe is repeated.
 */
export class HalfOpenTrial {
  readonly #maxCalls: number;
  readonly #neededSuccesses: number;
  running = 0;
  succeeded = 0;
  failed = 0;

  constructor(maxCalls: number, successRatio: number) {
    this.#maxCalls = maxCalls;
    // At least one success closes, even at a ratio of 0. The epsilon corrects 0.1 * 30 > 3.
    this.#neededSuccesses = Math.max(1, Math.ceil(maxCalls * successRatio - 1e-9));
  }

  /** Takes a slot for a probe; false when running and judged probes fill all of them. */
  admit(): boolean {
    if (this.running + this.succeeded + this.failed >= this.#maxCalls) return false;
    this.running += 1;
    return true;
  }

  /** A probe ended without a verdict: its slot is free again. */
  release(): void {
    this.running -= 1;
  }

  succeed(): TrialVerdict | undefined {
    this.running -= 1;
    this.succeeded += 1;
    return this.succeeded >= this.#neededSuccesses ? 'close' : undefined;
  }

  fail(): TrialVerdict | undefined {
    this.running -= 1;
    this.failed += 1;
    return this.failed > this.#maxCalls - this.#neededSuccesses ? 'open' : undefined;
  }
}

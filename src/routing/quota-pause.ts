import { exponentialDelay, type Random } from '../internal/backoff.ts';
import { isCount } from './quota-permit.ts';

/** Where a refusal names no time, the waits grow from one refusal to the next. */
const UNNAMED = { initialDelayMs: 250, maxDelayMs: 30_000 };
/** What is added by chance, so that processes don't come back at the same moment. */
const JITTER_RATIO = 0.05;
const MAX_JITTER_MS = 500;

/** The end of a pause that refusals asked for. A later refusal may put it off and never brings it forward. */
export class QuotaPause {
  readonly #random: Random;
  #untilMs = Number.NEGATIVE_INFINITY;
  #unnamed = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  waitMs(nowMs: number): number {
    return this.#untilMs > nowMs ? this.#untilMs - nowMs : 0;
  }

  /** Takes a refusal in and returns for how long it asks to wait. */
  refused(retryAfterMs: number | undefined, nowMs: number): number {
    let pauseMs = retryAfterMs;
    if (!isCount(pauseMs)) {
      // Those that were under way when a pause began are part of the refusal that began it.
      if (this.waitMs(nowMs) > 0) return 0;
      this.#unnamed += 1;
      pauseMs = exponentialDelay(this.#unnamed, UNNAMED);
    }
    const jitterMs = Math.min(MAX_JITTER_MS, pauseMs * JITTER_RATIO) * this.#random();
    this.until(nowMs + pauseMs + jitterMs);
    return pauseMs;
  }

  until(untilMs: number): void {
    if (untilMs > this.#untilMs) this.#untilMs = untilMs;
  }

  /** A request passed: the next unnamed wait is a short one again. */
  passed(): void {
    this.#unnamed = 0;
  }
}

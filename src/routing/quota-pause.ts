import { exponentialDelay, type Random } from '../internal/backoff.ts';
import { isCount } from './quota-permit.ts';

/** Where a refusal names no time, or one that does not help, the waits grow from one refusal to the next. */
const GROWING = { initialDelayMs: 250, maxDelayMs: 30_000 };
/** Refusals in a row that the time named may be believed in. */
const BELIEVED = 3;
/** No limit is of more than a day; what names more would stop the quota for as long as the process lives. */
const MAX_PAUSE_MS = 86_400_000;
/** What is added by chance, so that processes don't come back at the same moment. */
const JITTER_RATIO = 0.05;
const MAX_JITTER_MS = 500;

/** The end of a pause that refusals asked for. A later refusal may put it off and never brings it forward. */
export class QuotaPause {
  readonly #random: Random;
  #untilMs = Number.NEGATIVE_INFINITY;
  #inARow = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  waitMs(nowMs: number): number {
    return this.#untilMs > nowMs ? this.#untilMs - nowMs : 0;
  }

  /** Takes a refusal in and returns for how long it asks to wait. */
  refused(retryAfterMs: number | undefined, nowMs: number): number {
    // Those that were under way when a pause began are part of the refusal that began it.
    const isNews = this.waitMs(nowMs) === 0;
    if (isNews) this.#inARow += 1;
    const namedMs = isCount(retryAfterMs) ? Math.min(retryAfterMs, MAX_PAUSE_MS) : 0;
    if (namedMs === 0 && !isNews) return 0;
    const growing = namedMs === 0 ? this.#inARow : this.#inARow - BELIEVED;
    const pauseMs = Math.max(namedMs, growing > 0 ? exponentialDelay(growing, GROWING) : 0);
    const jitterMs = Math.min(MAX_JITTER_MS, pauseMs * JITTER_RATIO) * this.#random();
    this.until(nowMs + pauseMs + jitterMs);
    return pauseMs;
  }

  until(untilMs: number): void {
    if (untilMs > this.#untilMs) this.#untilMs = untilMs;
  }

  /** A request passed: the next wait is a short one again. */
  passed(): void {
    this.#inARow = 0;
  }
}

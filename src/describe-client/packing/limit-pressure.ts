import type { RateLimitDimension } from '../../openai/exchange/rate-limit-headers.ts';

const MINUTE_MS = 60_000;
/** Share of a limit below which little is left. */
const LOW_RATIO = 0.05;
/** How long a 429 counts as pressure: the window of the limits. */
const THROTTLE_MEMORY_MS = MINUTE_MS;
/** Limits not heard of for so long say nothing any more. */
const READING_MEMORY_MS = 10 * MINUTE_MS;

/** How one limit of one endpoint, requests or tokens, is doing, as its headers and refusals tell. */
export class LimitPressure {
  #limit: number | undefined;
  /** Time in which a used-up limit is full again. */
  #windowMs = MINUTE_MS;
  #usedRatio = 0;
  #remaining: number | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #throttledAtMs = Number.NEGATIVE_INFINITY;

  /**
   * Takes in what an answer says. The reset tells the bucket behind the limit: some hold a second's worth, so
   * `remaining` is low at all times; some are a day's, so `limit` is not a minute's.
   */
  read({ limit, remaining, resetMs }: RateLimitDimension, nowMs: number): void {
    this.#limit = limit;
    this.#remaining = remaining;
    this.#readAtMs = nowMs;
    const missingRatio = Math.min(1, Math.max(0, 1 - (remaining ?? limit) / limit));
    const isLonger = resetMs !== undefined && resetMs > MINUTE_MS && missingRatio > 0;
    this.#windowMs = isLonger ? Math.max(MINUTE_MS, resetMs / missingRatio) : MINUTE_MS;
    this.#usedRatio =
      resetMs === undefined || missingRatio === 0 ? missingRatio : Math.min(1, resetMs / this.#windowMs);
  }

  /** Takes in that a request was refused by this limit. */
  throttle(nowMs: number): void {
    this.#throttledAtMs = nowMs;
  }

  /** Units a minute; undefined when nothing is known. */
  perMinute(nowMs: number): number | undefined {
    if (this.#limit === undefined || nowMs - this.#readAtMs > READING_MEMORY_MS) return undefined;
    return (this.#limit * MINUTE_MS) / this.#windowMs;
  }

  /** Share of the limit that is used up, by the latest answer and the refill since. */
  usedRatio(nowMs: number): number {
    return Math.max(0, this.#usedRatio - (nowMs - this.#readAtMs) / this.#windowMs);
  }

  isThrottled(nowMs: number): boolean {
    return nowMs - this.#throttledAtMs < THROTTLE_MEMORY_MS;
  }

  /**
   * Whether the latest answer left so little that a line may be for this limit; true where it did not say. A line that
   * is paced well leaves a little at all times, and a bucket of a second never holds much.
   */
  get isLow(): boolean {
    return this.#remaining === undefined || this.#remaining < (this.#limit ?? 0) * LOW_RATIO;
  }
}

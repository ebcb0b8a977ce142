import { MINUTE_MS } from './quota-bucket.ts';

/**
 * The rate may grow by half in so long. Source: OpenAI, "Error codes" and "Rate limits" guides, ramp-up and slow down.
 */
const STEP_MS = 900_000;
const STEP_FACTOR = 1.5;
/** What a `slow_down` leaves of the rate. */
const SLOW_FACTOR = 0.5;
/** Share of its ceiling at which a rate is at it. */
const AT_CEILING_RATIO = 0.8;
const USAGE_MS = 30_000;
/** A burst after a rest is a rate too, though the average of the usage has not heard of it yet. */
const RECENT_MS = 1_000;
/** One slowdown at a time: the answers to what was sent before it ask for the same one. */
const SLOW_PAUSE_MS = 10_000;
const BURST_MS = 1_000;

/**
 * Keeps the rate of tokens below a ceiling that grows by at most half in 15 minutes, and only while it is used. Limits
 * up to `fromPerMinute` have none until the API asks to slow down.
 */
export class QuotaRamp {
  #basePerMs: number;
  #ceilingPerMs = Number.POSITIVE_INFINITY;
  #usedPerMs = 0;
  #recentPerMs = 0;
  #level = 0;
  #readAtMs: number;
  #limitPerMs = Number.POSITIVE_INFINITY;
  #processes = 1;
  #slowed = false;
  #slowedAtMs = Number.NEGATIVE_INFINITY;

  constructor(fromPerMinute: number, nowMs: number) {
    this.#basePerMs = fromPerMinute / MINUTE_MS;
    this.#readAtMs = nowMs;
  }

  /** Tokens a minute that may be used at most at the moment; infinite when there is no ceiling. */
  get ceilingPerMinute(): number {
    return this.#ceilingPerMs * MINUTE_MS;
  }

  /** What the API allows so many processes, in tokens a millisecond: above the base the ceiling begins at the base. */
  follow(limitPerMs: number | undefined, processes: number, nowMs: number): void {
    const share = limitPerMs === undefined ? this.#limitPerMs : limitPerMs / processes;
    if (share === this.#limitPerMs && processes === this.#processes) return;
    this.#refill(nowMs);
    const scale = this.#processes / processes;
    this.#processes = processes;
    this.#basePerMs *= scale;
    this.#limitPerMs = share;
    if (Number.isFinite(share) && share > this.#basePerMs && this.#ceilingPerMs === Number.POSITIVE_INFINITY) {
      this.#begin(this.#basePerMs);
    } else this.#moveTo(this.#ceilingPerMs * scale);
  }

  /** The API asked for less: half of what is used now, which then grows again. */
  slowDown(nowMs: number): void {
    if (nowMs < this.#slowedAtMs + SLOW_PAUSE_MS) return;
    this.#refill(nowMs);
    const current = Math.min(Math.max(this.#usedPerMs, this.#recentPerMs), this.#ceilingPerMs);
    if (current <= 0) return;
    this.#slowed = true;
    this.#slowedAtMs = nowMs;
    this.#begin(current * SLOW_FACTOR);
  }

  waitMs(tokens: number, nowMs: number): number {
    if (this.#ceilingPerMs === Number.POSITIVE_INFINITY) return 0;
    this.#refill(nowMs);
    const missing = Math.min(tokens, this.#ceilingPerMs * BURST_MS) - this.#level;
    return missing <= 1e-9 ? 0 : missing / this.#ceilingPerMs;
  }

  drainMs(tokens: number, nowMs: number): number {
    if (this.#ceilingPerMs === Number.POSITIVE_INFINITY) return 0;
    this.#refill(nowMs);
    return Math.max(0, tokens - this.#level) / this.#ceilingPerMs;
  }

  take(tokens: number, nowMs: number): void {
    this.#refill(nowMs);
    if (this.#ceilingPerMs !== Number.POSITIVE_INFINITY) this.#level -= tokens;
    this.#usedPerMs += tokens / USAGE_MS;
    this.#recentPerMs += tokens / RECENT_MS;
  }

  refund(tokens: number): void {
    if (this.#ceilingPerMs !== Number.POSITIVE_INFINITY) this.#level += tokens;
    this.#usedPerMs = Math.max(0, this.#usedPerMs - tokens / USAGE_MS);
    this.#recentPerMs = Math.max(0, this.#recentPerMs - tokens / RECENT_MS);
  }

  #begin(ceilingPerMs: number): void {
    this.#ceilingPerMs = ceilingPerMs;
    this.#level = Math.min(this.#level, ceilingPerMs * BURST_MS);
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#readAtMs;
    if (elapsedMs <= 0) return;
    this.#readAtMs = nowMs;
    const ceiling = this.#ceilingPerMs;
    if (ceiling !== Number.POSITIVE_INFINITY) {
      this.#level = Math.min(ceiling * BURST_MS, this.#level + elapsedMs * ceiling);
      this.#move(ceiling, Math.min(elapsedMs, STEP_MS));
    }
    this.#usedPerMs *= Math.exp(-elapsedMs / USAGE_MS);
    this.#recentPerMs *= Math.exp(-elapsedMs / RECENT_MS);
  }

  #move(ceiling: number, elapsedMs: number): void {
    const step = STEP_FACTOR ** (elapsedMs / STEP_MS);
    if (this.#usedPerMs >= ceiling * AT_CEILING_RATIO) this.#moveTo(ceiling * step);
    else if (this.#usedPerMs * STEP_FACTOR < ceiling && !this.#slowed) {
      this.#moveTo(Math.max(this.#basePerMs, ceiling / step));
    }
  }

  /** At the limit a ceiling ends, unless the limit is one that has to be grown into again after a while of less use. */
  #moveTo(ceilingPerMs: number): void {
    const limit = this.#limitPerMs;
    if (ceilingPerMs < limit) this.#ceilingPerMs = ceilingPerMs;
    else {
      this.#slowed = false;
      this.#ceilingPerMs = limit > this.#basePerMs ? limit : Number.POSITIVE_INFINITY;
    }
  }
}

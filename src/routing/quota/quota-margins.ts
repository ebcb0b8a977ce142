import { MINUTE_MS, QuotaBucket } from '../limits/quota-bucket.ts';

/** Weight of a new answer in the learned ratio. */
const WEIGHT = 0.05;
/** Answers before the ratio is used. */
const MIN_ANSWERS = 5;
const MIN_RATIO = 0.25;
const MAX_RATIO = 4;
/** Errors below this are not worth a correction. */
const DEADBAND_RATIO = 0.01;

/** Learns by how much the charged tokens differ from the estimated ones, from the answers of one model. */
export class TokenEstimate {
  /** Charged tokens per estimated one; 1 while nothing is known. */
  ratio = 1;
  #estimated = 0;
  #charged = 0;
  #answers = 0;

  /** Tokens to reserve for that estimate; 0 for what is no number. */
  reservedFor(estimated: number): number {
    return estimated >= 0 && estimated <= Number.MAX_SAFE_INTEGER ? estimated * this.ratio : 0;
  }

  /** False where `charged` is no number. */
  learn(estimated: number, charged: number | undefined): charged is number {
    if (charged === undefined || !(charged >= 0 && charged <= Number.MAX_SAFE_INTEGER)) return false;
    if (!(estimated > 0)) return true;
    this.#answers += 1;
    this.#estimated += WEIGHT * (estimated - this.#estimated);
    this.#charged += WEIGHT * (charged - this.#charged);
    if (this.#answers < MIN_ANSWERS) return true;
    const ratio = this.#charged / this.#estimated;
    this.ratio = Math.abs(ratio - 1) < DEADBAND_RATIO ? 1 : Math.min(MAX_RATIO, Math.max(MIN_RATIO, ratio));
    return true;
  }
}

/** Share of requests that may be refused. */
const TARGET_RATIO = 0.005;
const STEP_MS = 10;
const MAX_GUARD_MS = 250;

/**
 * The extra time that a request waits where the API's bucket has to be full, because its way there takes a varying
 * time. The time grows at a refusal and shrinks a little at every pass. It settles where one request in 200 is refused.
 * Source: Robbins and Monro, "A Stochastic Approximation Method" (1951).
 */
export class QuotaGuard {
  ms = STEP_MS;

  passed(): void {
    this.ms = Math.max(0, this.ms - STEP_MS * TARGET_RATIO);
  }

  refused(): void {
    this.ms = Math.min(MAX_GUARD_MS, this.ms + STEP_MS);
  }
}

/** The rate may grow by half in this time. Source: OpenAI, "Error codes" and "Rate limits" guides, slow down. */
const RAMP_STEP_MS = 900_000;
const STEP_FACTOR = 1.5;
/** Share of the rate that a `slow_down` leaves. */
const SLOW_FACTOR = 0.5;
/** A rate above this share of its ceiling counts as being at the ceiling. */
const AT_CEILING_RATIO = 0.8;
const USAGE_MS = 30_000;
/** A burst after a rest counts as a rate too, before the average usage shows it. */
const RECENT_MS = 1_000;
/** Slowdowns within this time count as one: the answers to earlier requests ask for the same one. */
const SLOW_PAUSE_MS = 10_000;

/**
 * Keeps the rate of tokens below a ceiling that grows by at most half in 15 minutes, and only while it is used. Limits
 * up to `fromPerMinute` have none until the API asks to slow down.
 */
export class QuotaRamp {
  #basePerMs: number;
  /** Refills at the ceiling, a second of it at most; undefined while there is none. */
  #ceiling: QuotaBucket | undefined;
  #usedPerMs = 0;
  #recentPerMs = 0;
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
    return this.#ceiling === undefined ? Number.POSITIVE_INFINITY : this.#ceiling.perMs * MINUTE_MS;
  }

  /**
   * Follows the limit of this many processes, in tokens per millisecond. Above the base, the ceiling begins at the
   * base.
   */
  follow(limitPerMs: number | undefined, processes: number, nowMs: number): void {
    const share = limitPerMs === undefined ? this.#limitPerMs : limitPerMs / processes;
    if (share === this.#limitPerMs && processes === this.#processes) return;
    this.#read(nowMs);
    const scale = this.#processes / processes;
    this.#processes = processes;
    this.#basePerMs *= scale;
    this.#limitPerMs = share;
    if (this.#ceiling !== undefined) this.#moveTo(this.#ceiling, this.#ceiling.perMs * scale, nowMs);
    else if (Number.isFinite(share) && share > this.#basePerMs) this.#begin(this.#basePerMs, nowMs);
  }

  /** The API asked to slow down. Sets the ceiling to half of the usage now, from which it grows again. */
  slowDown(nowMs: number): void {
    if (nowMs < this.#slowedAtMs + SLOW_PAUSE_MS) return;
    this.#read(nowMs);
    const { perMs = Number.POSITIVE_INFINITY } = this.#ceiling ?? {};
    const current = Math.min(Math.max(this.#usedPerMs, this.#recentPerMs), perMs);
    if (current <= 0) return;
    this.#slowed = true;
    this.#slowedAtMs = nowMs;
    this.#begin(current * SLOW_FACTOR, nowMs);
  }

  waitMs(tokens: number, nowMs: number): number {
    if (this.#ceiling === undefined) return 0;
    this.#read(nowMs);
    return this.#ceiling?.reachesInMs(Math.min(tokens, this.#ceiling.capacity), nowMs) ?? 0;
  }

  drainMs(tokens: number, nowMs: number): number {
    if (this.#ceiling === undefined) return 0;
    this.#read(nowMs);
    return this.#ceiling?.drainMs(tokens, nowMs) ?? 0;
  }

  take(tokens: number, nowMs: number): void {
    this.#read(nowMs);
    this.#ceiling?.take(tokens, nowMs);
    this.#usedPerMs += tokens / USAGE_MS;
    this.#recentPerMs += tokens / RECENT_MS;
  }

  refund(tokens: number, nowMs: number): void {
    this.#ceiling?.move(tokens, nowMs);
    this.#usedPerMs = Math.max(0, this.#usedPerMs - tokens / USAGE_MS);
    this.#recentPerMs = Math.max(0, this.#recentPerMs - tokens / RECENT_MS);
  }

  #begin(perMs: number, nowMs: number): void {
    if (this.#ceiling === undefined) this.#ceiling = new QuotaBucket(perMs, nowMs, 0);
    else this.#ceiling.setRate(perMs, nowMs);
  }

  /** Moves the ceiling and forgets older usage, by the time that has passed. */
  #read(nowMs: number): void {
    const elapsedMs = nowMs - this.#readAtMs;
    if (elapsedMs <= 0) return;
    this.#readAtMs = nowMs;
    const ceiling = this.#ceiling;
    if (ceiling !== undefined) {
      const step = STEP_FACTOR ** (Math.min(elapsedMs, RAMP_STEP_MS) / RAMP_STEP_MS);
      if (this.#usedPerMs >= ceiling.perMs * AT_CEILING_RATIO) this.#moveTo(ceiling, ceiling.perMs * step, nowMs);
      else if (this.#usedPerMs * STEP_FACTOR < ceiling.perMs && !this.#slowed)
        this.#moveTo(ceiling, Math.max(this.#basePerMs, ceiling.perMs / step), nowMs);
    }
    this.#usedPerMs *= Math.exp(-elapsedMs / USAGE_MS);
    this.#recentPerMs *= Math.exp(-elapsedMs / RECENT_MS);
  }

  /**
   * The ceiling ends at the limit. A limit above the base keeps it, because usage has to grow into it again after a
   * rest.
   */
  #moveTo(ceiling: QuotaBucket, perMs: number, nowMs: number): void {
    const limit = this.#limitPerMs;
    if (perMs >= limit) this.#slowed = false;
    if (perMs < limit) ceiling.setRate(perMs, nowMs);
    else if (limit > this.#basePerMs) ceiling.setRate(limit, nowMs);
    else this.#ceiling = undefined;
  }
}

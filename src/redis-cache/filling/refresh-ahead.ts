import type { Random } from '../../internal/backoff.ts';
import type { MemoryRecord } from '../tiers/tier-pair.ts';

export interface RefreshAheadSettings {
  readonly refreshAheadRatio: number;
  readonly refreshAheadPerMinute: number;
  readonly random: Random;
}

const MINUTE_MS = 60_000;

/**
 * Chooses the reads that refresh an entry ahead of its expiry, by XFetch (Vattani and others: Optimal Probabilistic
 * Cache Stampede Prevention, VLDB 2015). A read at `now` does so when `now - cost * ln(random) >= expiry`.
 * The cost is the measured time of the entry's factory. So a key that is read often is refreshed about its cost before
 * it expires, and one that is read rarely is not.
 */
export class RefreshAhead {
  readonly #ratio: number;
  readonly #random: Random;
  /** When the last refreshes began, the oldest at `#next`. */
  readonly #begunAtMs: Float64Array;
  #next = 0;

  constructor({ refreshAheadRatio, refreshAheadPerMinute, random }: RefreshAheadSettings) {
    this.#ratio = refreshAheadRatio;
    this.#random = random;
    this.#begunAtMs = new Float64Array(refreshAheadPerMinute).fill(Number.NEGATIVE_INFINITY);
  }

  /** Counts a read of a fresh entry, and tells whether it should refresh it. The first read never does. */
  isDue(record: MemoryRecord, nowMs: number): boolean {
    record.reads += 1;
    const { freshUntilMs, ttlMs, costMs, failure } = record.entry;
    if (record.reads < 2 || nowMs < freshUntilMs - this.#ratio * ttlMs || failure !== undefined) return false;
    return nowMs - costMs * Math.log(this.#random()) >= freshUntilMs && this.hasBudget(nowMs);
  }

  /** Whether fewer refreshes than allowed began in the last minute. */
  hasBudget(nowMs: number): boolean {
    return nowMs - (this.#begunAtMs[this.#next] ?? nowMs) >= MINUTE_MS;
  }

  begin(nowMs: number): void {
    this.#begunAtMs[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#begunAtMs.length;
  }
}

import { MINUTE_MS } from './quota-bucket.ts';
import type { RateLimitReading } from './rate-limit-snapshot.ts';

const DAY_MS = 86_400_000;
/** How much more than its limit a minute's bucket may seem to hold, by rounding. */
const IMPLAUSIBLE_RATIO = 1.5;

/** A reading in the terms of a bucket. */
export interface QuotaReading {
  readonly perMs: number;
  /** What the bucket holds when it is full, as far as the reading tells. */
  readonly capacity: number | undefined;
  readonly remaining: number | undefined;
  readonly resetMs: number | undefined;
}

/**
 * Reads a limit's rate and capacity. A reset is the time until full, so a bucket holds what remains and what flows in
 * until then. A limit whose bucket would hold far more than the limit is one a day, which some tiers have.
 */
export function quotaReadingOf({ limit, remaining, resetMs }: RateLimitReading): QuotaReading {
  const capacityOver = (windowMs: number) =>
    remaining === undefined || remaining < 1 || resetMs === undefined
      ? undefined
      : remaining + (limit / windowMs) * resetMs;
  const capacity = capacityOver(MINUTE_MS);
  const windowMs = (capacity ?? 0) > limit * IMPLAUSIBLE_RATIO + 1 ? DAY_MS : MINUTE_MS;
  return { perMs: limit / windowMs, capacity: capacityOver(windowMs), remaining, resetMs };
}

/** The level that a reading tells: by its reset, which has the fraction and the debt, within what its `remaining` leaves open. */
export function levelOf({ perMs, remaining = 0, resetMs }: QuotaReading, capacity: number): number {
  if (resetMs === undefined) return remaining;
  const byReset = capacity - perMs * resetMs;
  const lowest = remaining >= 1 ? remaining : Number.NEGATIVE_INFINITY;
  return Math.min(Math.max(byReset, lowest), remaining + 0.999);
}

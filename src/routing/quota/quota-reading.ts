import { MINUTE_MS } from './quota-bucket.ts';
import { isCount } from './quota-permit.ts';
import type { RateLimitReading } from './rate-limit-snapshot.ts';

const DAY_MS = 86_400_000;
/** How much more than its limit a minute's bucket may seem to hold, by rounding. */
const IMPLAUSIBLE_RATIO = 1.5;

/** A reading in the terms of a bucket. */
export interface QuotaReading {
  readonly limit: number;
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
export function quotaReadingOf(reading: RateLimitReading): QuotaReading {
  const { limit } = reading;
  const remaining = usable(reading.remaining);
  const resetMs = usable(reading.resetMs);
  const capacityOver = (windowMs: number) =>
    remaining === undefined || remaining < 1 || resetMs === undefined
      ? undefined
      : remaining + (limit / windowMs) * resetMs;
  const isPlausible = (capacity: number | undefined) => (capacity ?? 0) <= limit * IMPLAUSIBLE_RATIO + 1;
  const windowMs = isPlausible(capacityOver(MINUTE_MS)) ? MINUTE_MS : DAY_MS;
  const capacity = capacityOver(windowMs);
  return {
    limit,
    perMs: limit / windowMs,
    capacity: isPlausible(capacity) ? capacity : undefined,
    remaining,
    resetMs,
  };
}

/**
 * The level that a reading tells: by its reset, which has the fraction and the debt, within what its `remaining` leaves
 * open.
 */
export function levelOf({ limit, perMs, remaining = 0, resetMs }: QuotaReading, capacity: number): number {
  if (resetMs === undefined) return remaining;
  const byReset = capacity - perMs * resetMs;
  // No request is larger than the limit, and so is no debt: without a bound, one wrong header would stop all for ever.
  const lowest = remaining >= 1 ? remaining : -limit;
  return Math.min(Math.max(byReset, lowest), remaining + 0.999);
}

const usable = (value: number | undefined): number | undefined => (isCount(value) ? value : undefined);

/** Whether a reading names a limit. */
export const hasLimit = ({ limit }: RateLimitReading): boolean => limit >= 1 && isCount(limit);

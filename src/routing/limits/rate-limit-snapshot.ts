import { MINUTE_MS } from './quota-bucket.ts';

/** One dimension of a limit as an answer tells it; unknown values are absent. */
export interface RateLimitReading {
  /** Units a minute. */
  readonly limit: number;
  readonly remaining?: number;
  /** Milliseconds until it is full again. */
  readonly resetMs?: number;
}

/** The limits of the quota that an answer was counted against. */
export interface RateLimitSnapshot {
  readonly requests?: RateLimitReading;
  readonly tokens?: RateLimitReading;
}

/** An answer, as a quota sees it. */
export interface QuotaAnswer {
  readonly limits?: RateLimitSnapshot | undefined;
  /** Tokens that the API counted: the larger of prompt and output limit; absent where unknown. */
  readonly chargedTokens?: number | undefined;
}

/** A refusal for going too fast, as a quota sees it. */
export interface QuotaRefusal {
  readonly limits?: RateLimitSnapshot | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The API asked to slow down, which lowers the rate for a while. */
  readonly slowDown?: boolean | undefined;
}

const DAY_MS = 86_400_000;
/** How far above its limit a minute's bucket may seem to be, because of rounding. */
const IMPLAUSIBLE_RATIO = 1.5;

/** Whether a count is known and one. */
export const isCount = (value: number | undefined): value is number =>
  value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

/** Whether a reading names a limit. */
export const hasLimit = ({ limit }: RateLimitReading): boolean => limit >= 1 && isCount(limit);

/** A reading in the terms of a bucket. */
export interface QuotaReading {
  readonly limit: number;
  readonly perMs: number;
  /** Level of the bucket when it is full, as far as the reading tells. */
  readonly capacity: number | undefined;
  readonly remaining: number | undefined;
  readonly resetMs: number | undefined;
}

/**
 * Reads a limit's rate and capacity. A reset is the time until the bucket is full. So the capacity is what remains,
 * plus the refill until then. A limit whose bucket would hold far more than the limit counts by the day, as in some
 * tiers.
 */
export function quotaReadingOf(reading: RateLimitReading): QuotaReading {
  const { limit } = reading;
  const remaining = isCount(reading.remaining) ? reading.remaining : undefined;
  const resetMs = isCount(reading.resetMs) ? reading.resetMs : undefined;
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
 * The level that a reading reports: computed from its reset, which keeps the fraction and the debt, and bounded by its
 * `remaining`.
 */
export function levelOf({ limit, perMs, remaining = 0, resetMs }: QuotaReading, capacity: number): number {
  if (resetMs === undefined) return remaining;
  const byReset = capacity - perMs * resetMs;
  // No debt is larger than the limit, as no request is. Without this bound, one wrong header would stop everything for
  // ever.
  const lowest = remaining >= 1 ? remaining : -limit;
  return Math.min(Math.max(byReset, lowest), remaining + 0.999);
}

/**
 * The limits that refused a request. Where requests are left, something else refused; where the headers say nothing,
 * both did.
 */
export function refusedBy(limits: RateLimitSnapshot | undefined): {
  readonly requests: boolean;
  readonly tokens: boolean;
} {
  const remaining = limits?.requests?.remaining;
  return { requests: remaining === undefined || remaining === 0, tokens: remaining === undefined || remaining > 0 };
}

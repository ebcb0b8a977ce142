import { answerNow } from '../../internal/async/user-callback.ts';
import { exponentialDelay, type Random } from '../../internal/backoff.ts';

export interface BreakDurationOptions {
  readonly resetTimeoutMs: number;
  readonly maxResetTimeoutMs: number | undefined;
  readonly resetJitterRatio: number;
  readonly random: Random;
}

/** Longest break that an error may ask for when no `maxResetTimeoutMs` is given: an hour. */
const LONGEST_ASKED_MS = 3_600_000;

/**
 * Gives the length of break number `breaks`; 1 is the first since the breaker was closed. It is the time that the
 * failing side asked for, else `resetTimeoutMs` less jitter. With a `maxResetTimeoutMs` each break is twice as long as
 * the one before, up to that.
 */
export function breakDurationMs(
  breaks: number,
  askedMs: number | undefined,
  { resetTimeoutMs, maxResetTimeoutMs, resetJitterRatio, random }: BreakDurationOptions,
): number {
  if (askedMs !== undefined && Number.isFinite(askedMs) && askedMs > 0) {
    // Jitter does not shorten a time that the other side asked for.
    return Math.min(askedMs, maxResetTimeoutMs ?? Math.max(LONGEST_ASKED_MS, resetTimeoutMs));
  }
  const fullMs =
    maxResetTimeoutMs === undefined
      ? resetTimeoutMs
      : exponentialDelay(breaks, { initialDelayMs: resetTimeoutMs, maxDelayMs: maxResetTimeoutMs });
  const chance = Math.min(1, Math.max(0, answerNow(random, undefined, 0))) || 0;
  return fullMs * (1 - resetJitterRatio * chance);
}

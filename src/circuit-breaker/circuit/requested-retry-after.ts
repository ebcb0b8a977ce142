import { MAX_TIMER_DELAY_MS } from '../../internal/clock.ts';
import { propertyOf } from '../../internal/property-of.ts';
import { retryAfterMsOf } from '../../internal/upstream/response-headers.ts';

/**
 * The default of `retryAfterMs`: milliseconds that an error or a response asks to wait. Read from its own
 * `retryAfterMs`, or from `retry-after-ms` or `Retry-After` in its `headers` or those of its `response`. `Retry-After`
 * is seconds or a date (RFC 9110, 10.2.3).
 */
export function requestedRetryAfterMs(failure: unknown): number | undefined {
  const own = propertyOf(failure, 'retryAfterMs');
  if (typeof own === 'number') return Math.min(own, MAX_TIMER_DELAY_MS);
  return retryAfterMsOf(propertyOf(failure, 'headers') ?? propertyOf(propertyOf(failure, 'response'), 'headers'));
}

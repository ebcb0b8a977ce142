import { MAX_TIMER_DELAY_MS, wallClockNow } from '../internal/clock.ts';
import { propertyOf } from './property-of.ts';

/**
 * The default of `retryAfterMs`: milliseconds that an error or a response asks to be left alone, by its own
 * `retryAfterMs`, or by `retry-after-ms` or `Retry-After` (seconds or a date, RFC 9110 10.2.3) among its `headers` or
 * those of its `response`.
 */
export function askedWaitMs(failure: unknown): number | undefined {
  const own = propertyOf(failure, 'retryAfterMs');
  if (typeof own === 'number') return Math.min(own, MAX_TIMER_DELAY_MS);
  const headers = propertyOf(failure, 'headers') ?? propertyOf(propertyOf(failure, 'response'), 'headers');
  if (typeof headers !== 'object' || headers === null) return undefined;
  const milliseconds = numberIn(headerOf(headers, 'retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  return waitOfRetryAfter(headerOf(headers, 'retry-after'));
}

/** Milliseconds that the value of a `Retry-After` header asks for. */
export function waitOfRetryAfter(value: unknown): number | undefined {
  const seconds = numberIn(value);
  if (seconds !== undefined) return seconds * 1_000;
  if (typeof value !== 'string' || !value.endsWith(' GMT')) return undefined;
  // biome-ignore lint/style/noRestrictedGlobals: a pure conversion, it reads no time.
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : atMs - wallClockNow();
}

/** Only digits, for a date would be a number too to those who ask leniently. */
function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

/** From a `Headers`, or a plain object whose names may be in any case. */
function headerOf(headers: object, name: string): unknown {
  try {
    if ('get' in headers && typeof headers.get === 'function') return headers.get(name);
    const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
    return found === undefined ? undefined : (headers as Readonly<Record<string, unknown>>)[found];
  } catch {
    return undefined;
  }
}

import { MAX_TIMER_DELAY_MS, wallClockNow } from '../clock.ts';

/**
 * Reads one header from a `Headers`, or from a plain object with names in any case. Never throws. Undefined where the
 * value is neither text nor a number.
 */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  try {
    const { get } = headers as { readonly get?: unknown };
    const value = typeof get === 'function' ? (get.call(headers, name) as unknown) : ownOf(headers, name);
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

function ownOf(headers: object, name: string): unknown {
  const record = headers as Readonly<Record<string, unknown>>;
  if (record[name] !== undefined) return record[name];
  const found = Object.keys(record).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : record[found];
}

/** The media type of an answer in small letters, or `none`. */
export function mediaTypeOf(headers: unknown): string {
  const mediaType = /^[\w.+-]{1,40}\/[\w.+-]{1,60}/.exec(headerOf(headers, 'content-type')?.trim() ?? '')?.[0];
  return mediaType?.toLowerCase() ?? 'none';
}

/**
 * Milliseconds that an answer asks to wait: `retry-after-ms`, else `retry-after`. Undefined where neither is usable.
 * At most what a timer can hold, about 24.8 days.
 */
export function retryAfterMsOf(headers: unknown, wallNowMs: number = wallClockNow()): number | undefined {
  const named = numberOf(headerOf(headers, 'retry-after-ms'));
  return named === undefined
    ? parseRetryAfter(headerOf(headers, 'retry-after'), wallNowMs)
    : Math.min(named, MAX_TIMER_DELAY_MS);
}

/**
 * Milliseconds that the value of a `Retry-After` asks for: seconds, or an HTTP date (RFC 9110, 10.2.3). At least 0, and
 * at most what a timer can hold.
 */
export function parseRetryAfter(value: unknown, wallNowMs: number = wallClockNow()): number | undefined {
  const seconds = numberOf(value);
  if (seconds !== undefined) return Math.min(seconds * 1000, MAX_TIMER_DELAY_MS);
  const atMs = typeof value === 'string' ? parseHttpDate(value) : undefined;
  return atMs === undefined ? undefined : Math.min(Math.max(0, atMs - wallNowMs), MAX_TIMER_DELAY_MS);
}

/** Only digits: `Number` would take an empty text and a hexadecimal one too. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  return typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

/** Only the forms of a date that RFC 9110 names. They end in GMT, or name no zone. */
function parseHttpDate(raw: string): number | undefined {
  if (!/^\w{3,9},? .*GMT$/.test(raw.trim())) return undefined;
  // biome-ignore lint/style/noRestrictedGlobals: a pure conversion, it reads no time.
  const atMs = Date.parse(raw);
  return Number.isNaN(atMs) ? undefined : atMs;
}

import { wallClockNow } from '../internal/clock.ts';

/** Reads one response header, whatever holds them: a `Headers`, or a plain object with lower-case names. */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { readonly get?: unknown };
  const value =
    typeof get === 'function'
      ? (get.call(headers, name) as unknown)
      : (headers as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * Milliseconds that an answer asks to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date
 * (RFC 9110, 10.2.3). Undefined where neither says anything usable.
 */
export function retryAfterMsOf(headers: unknown, wallNowMs: number = wallClockNow()): number | undefined {
  const milliseconds = numberOf(headerOf(headers, 'retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const raw = headerOf(headers, 'retry-after');
  const seconds = numberOf(raw);
  if (seconds !== undefined) return seconds * 1000;
  if (raw === undefined) return undefined;
  const atMs = parseHttpDate(raw);
  return atMs === undefined ? undefined : Math.max(0, atMs - wallNowMs);
}

function numberOf(raw: string | undefined): number | undefined {
  if (raw === undefined || !/^\d+(\.\d+)?$/.test(raw.trim())) return undefined;
  return Number(raw);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** An IMF-fixdate, the only form that RFC 9110 lets a server send. */
function parseHttpDate(raw: string): number | undefined {
  const match = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(raw.trim());
  if (match === null) return undefined;
  const [, day, month = '', year, hours, minutes, seconds] = match;
  const monthIndex = MONTHS.indexOf(month);
  if (monthIndex < 0) return undefined;
  // biome-ignore lint/style/noRestrictedGlobals: a pure conversion, it reads no time.
  return Date.UTC(Number(year), monthIndex, Number(day), Number(hours), Number(minutes), Number(seconds));
}

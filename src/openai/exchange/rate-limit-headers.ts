import { headerOf } from '../../internal/upstream/response-headers.ts';

/** One dimension of a limit. Unknown numbers are absent. */
export interface RateLimitDimension {
  /** Per minute. */
  readonly limit: number;
  readonly remaining?: number;
  /** Milliseconds until it is full again. */
  readonly resetMs?: number;
}

/** The quota that an answer was counted against, by its headers. */
export interface RateLimitState {
  readonly requests?: RateLimitDimension;
  readonly tokens?: RateLimitDimension;
}

const NOTHING: RateLimitState = {};

/**
 * Reads `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`. Limits of zero or less, seen on Azure, mean unknown.
 * Source: OpenAI, "Rate limits" guide, headers.
 */
export function rateLimitOf(headers: unknown): RateLimitState {
  const requests = dimensionOf(headers, 'requests');
  const tokens = dimensionOf(headers, 'tokens');
  if (requests === undefined && tokens === undefined) return NOTHING;
  return {
    ...(requests === undefined ? {} : { requests }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

function dimensionOf(headers: unknown, name: 'requests' | 'tokens'): RateLimitDimension | undefined {
  const given = headerOf(headers, `x-ratelimit-limit-${name}`);
  if (given === undefined) return undefined;
  const limit = countOf(given);
  if (limit === undefined || limit === 0) return undefined;
  const remaining = countOf(headerOf(headers, `x-ratelimit-remaining-${name}`) ?? '');
  const resetMs = parseGoDuration(headerOf(headers, `x-ratelimit-reset-${name}`) ?? '');
  return {
    limit,
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetMs === undefined ? {} : { resetMs }),
  };
}

const countOf = (raw: string): number | undefined => (/^\d+$/.test(raw.trim()) ? Number(raw) : undefined);

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of a Go duration such as `6m0s`, `12ms` or `1h2m3.5s`; undefined for anything else. */
export function parseGoDuration(raw: string): number | undefined {
  const text = raw.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return totalMs;
}

import { describe, expect, it } from 'vitest';
import { parseGoDuration, rateLimitOf } from './rate-limit-headers.ts';

describe('rateLimitOf', () => {
  it('reads both dimensions, from Headers and from a plain object', () => {
    const headers = {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    const expected = {
      requests: { limit: 500, remaining: 499, resetMs: 120 },
      tokens: { limit: 200_000, remaining: 0, resetMs: 360_000 },
    };
    expect(rateLimitOf(headers)).toEqual(expected);
    expect(rateLimitOf(new Headers(headers))).toEqual(expected);
  });

  it('takes zero, negative and absent limits for unknown', () => {
    expect(rateLimitOf({ 'x-ratelimit-limit-requests': '0', 'x-ratelimit-limit-tokens': '-1' })).toEqual({});
    expect(rateLimitOf(undefined)).toEqual({});
    expect(rateLimitOf({ 'x-ratelimit-limit-tokens': '10', 'x-ratelimit-reset-tokens': 'soon' })).toEqual({
      tokens: { limit: 10 },
    });
  });
});

describe('parseGoDuration', () => {
  it.each([
    ['12ms', 12],
    ['1s', 1000],
    ['6m0s', 360_000],
    ['1h2m3.5s', 3_723_500],
    ['500us', 0.5],
    ['0s', 0],
    ['', undefined],
    ['5', undefined],
    ['-1s', undefined],
    ['1s foo', undefined],
  ])('reads %s as %s', (raw, expected) => {
    expect(parseGoDuration(raw)).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { wallClockNow } from '../../internal/clock.ts';
import { CircuitBreaker } from '../circuit-breaker.ts';
import { requestedRetryAfterMs } from './requested-retry-after.ts';

describe('what a failure asks to wait', () => {
  it.each([
    ['its own retryAfterMs before its headers', { retryAfterMs: 5, headers: { 'retry-after': '7' } }, 5],
    ['a Headers', { headers: new Headers({ 'Retry-After': '7' }) }, 7_000],
    ['a plain object in any case', { headers: { 'Retry-After': '7' } }, 7_000],
    ['a number', { headers: { 'retry-after': 7 } }, 7_000],
    ['milliseconds first', { headers: { 'retry-after-ms': '1500', 'retry-after': '7' } }, 1_500],
    ['the headers of its response', { response: { headers: { 'retry-after': '7' } } }, 7_000],
    ['a response', new Response('', { headers: { 'retry-after': '120' } }), 120_000],
    ['nothing', new Error('boom'), undefined],
    ['no headers', { headers: 'retry-after: 7' }, undefined],
    ['nonsense', { headers: { 'retry-after': 'soon' } }, undefined],
    ['undefined', undefined, undefined],
  ])('is read from %s', (_where, failure, expected) => {
    expect(requestedRetryAfterMs(failure)).toBe(expected);
  });

  it('is read from a date', () => {
    const inAMinute = new Date(wallClockNow() + 60_000).toUTCString();
    const waitMs = requestedRetryAfterMs({ headers: new Headers({ 'retry-after': inAMinute }) });
    expect(waitMs).toBeGreaterThan(55_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  it('is nothing when the headers throw', () => {
    const headers = {
      get: () => {
        throw new Error('hands off');
      },
    };
    expect(requestedRetryAfterMs({ headers })).toBeUndefined();
  });

  it('is how long the breaker stays open', async () => {
    const breaker = new CircuitBreaker(
      'upstream',
      () =>
        Promise.reject(Object.assign(new Error('busy'), { status: 503, headers: new Headers({ 'retry-after': '7' }) })),
      { failureThreshold: 1 },
    );
    await breaker.fire().catch(() => {});
    const { retryAfterMs = 0 } = breaker.getStats();
    expect(retryAfterMs).toBeGreaterThan(6_000);
    expect(retryAfterMs).toBeLessThanOrEqual(7_000);
    breaker.shutdown();
  });
});

import { describe, expect, it, vi } from 'vitest';
import { UpstreamError } from '../errors/upstream-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import {
  abort,
  boom,
  clock,
  halfOpenBreaker,
  makeBreaker,
  onManualClock,
  openBreaker,
  settle,
  times,
} from './breaker-stories.fixture.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { defaultIsFailure } from './verdict/default-is-failure.ts';

onManualClock();

const statusError = (status: number) => Object.assign(new Error(`${status}`), { status });

describe('an abort', () => {
  it.each([
    ['an error of the client that is no AbortError', () => new Error('Request was aborted.')],
    ['an error with the reason as its cause', (reason: unknown) => new TypeError('fetch failed', { cause: reason })],
    ['an AbortError although the signal has another reason', () => new DOMException('gone', 'AbortError')],
  ])('of the caller is neutral when the call rejects with %s', async (_how, errorOf) => {
    const request = new CircuitBreaker(
      'request',
      ({ signal }: { signal: AbortSignal }) => Promise.reject(errorOf(signal.reason)),
      { failureThreshold: 1, isFailure: () => true },
    );
    const controller = new AbortController();
    controller.abort(boom);
    await settle(request.fire(controller));
    expect(request.state).toBe('CLOSED');
    expect(request.getStats().totals).toMatchObject({ ignored: 1, failed: 0 });
  });

  it.each([
    ['an abort of the client', () => new DOMException('Request was aborted.', 'AbortError')],
    ['the reason of the signal', (reason: unknown) => reason],
  ])('by AbortSignal.timeout is a failure when the call rejects with %s', async (_how, errorOf) => {
    const request = new CircuitBreaker(
      'request',
      ({ signal }: { signal: AbortSignal }) => Promise.reject(errorOf(signal.reason)),
      { failureThreshold: 1 },
    );
    const controller = new AbortController();
    controller.abort(new DOMException('too slow', 'TimeoutError'));
    await settle(request.fire(controller));
    expect(request.state).toBe('OPEN');
    request.shutdown();
  });

  it('that a timeout caused is a failure', async () => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    const cause = new DOMException('too slow', 'TimeoutError');
    const slow = Object.assign(new Error('aborted', { cause }), { name: 'AbortError' });
    await settle(breaker.fire(() => Promise.reject(slow)));
    expect(breaker.state).toBe('OPEN');
  });

  it('is neutral before a custom isFailure is asked', async () => {
    const isFailure = vi.fn(() => true);
    const breaker = makeBreaker({ failureThreshold: 1, isFailure });
    await times(3, breaker, abort);
    expect(breaker.state).toBe('CLOSED');
    expect(isFailure).not.toHaveBeenCalled();
  });
});

describe('by default', () => {
  it.each([400, 401, 404, 422, 429])('a rejection with status %i is neutral', async (status) => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    await settle(breaker.fire(() => Promise.reject(statusError(status))));
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.getStats().totals).toMatchObject({ ignored: 1, failed: 0 });
  });

  it.each([408, 409, 500, 503, 529])('a rejection with status %i is a failure', async (status) => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    await settle(breaker.fire(() => Promise.reject(statusError(status))));
    expect(breaker.state).toBe('OPEN');
  });

  it('a throttle, a spent quota and the callers own fault are neutral by their codes, an outage is none', () => {
    const upstream = (code: ConstructorParameters<typeof UpstreamError>[0], retryable = false) =>
      defaultIsFailure(new UpstreamError(code, code, { retryable }));
    expect(upstream('DESCRIBE_RATE_LIMITED')).toBe(false);
    expect(upstream('DESCRIBE_QUOTA_EXHAUSTED')).toBe(false);
    expect(upstream('DESCRIBE_REFUSED')).toBe(false);
    expect(upstream('DESCRIBE_UPSTREAM', true)).toBe(true);
    // A mistake in the request, which no attempt can change.
    expect(upstream('DESCRIBE_UPSTREAM')).toBe(false);
    expect(upstream('DESCRIBE_OVERLOADED')).toBe(true);
  });

  it('the status is found where clients keep it', () => {
    expect(defaultIsFailure({ statusCode: 404 })).toBe(false);
    expect(defaultIsFailure({ response: { status: 404 } })).toBe(false);
    expect(defaultIsFailure({ response: { status: 502 } })).toBe(true);
    expect(defaultIsFailure({ status: '404' })).toBe(true);
    expect(defaultIsFailure(undefined)).toBe(true);
  });
});

describe('a neutral result', () => {
  const options = { isNeutralResult: (result: string) => result === '429' };

  it('reaches the caller, counts for nothing and gives the place of its probe back', async () => {
    const breaker = await halfOpenBreaker(options);
    const ignored = vi.fn();
    breaker.on('ignored', ignored);
    await expect(breaker.fire(() => '429')).resolves.toBe('429');
    expect(breaker.state).toBe('HALF_OPEN');
    expect(breaker.getStats().totals).toMatchObject({ ignored: 1 });
    expect(ignored).toHaveBeenCalledTimes(1);
    await breaker.fire(() => '200');
    expect(breaker.state).toBe('CLOSED');
  });

  it('does not end a run of failures, and is asked about after isFailureResult', async () => {
    const breaker = makeBreaker({
      failureThreshold: 2,
      isFailureResult: (result) => result === '503',
      isNeutralResult: () => true,
    });
    await breaker.fire(() => '503');
    await breaker.fire(() => '429');
    await breaker.fire(() => '503');
    expect(breaker.state).toBe('OPEN');
    breaker.shutdown();
  });
});

describe('a probe', () => {
  it('may take a minute by default, however short the breaks are', async () => {
    const breaker = await halfOpenBreaker();
    const gate = new Deferred<string>();
    const probe = breaker.fire(() => gate.promise);
    await clock.advance(59_999);
    gate.resolve('at last');
    await expect(probe).resolves.toBe('at last');
    expect(breaker.state).toBe('CLOSED');
  });

  it('may take as long as a break, or as any call where calls have a timeout', async () => {
    const long = await openBreaker({ resetTimeoutMs: 90_000 });
    await clock.advance(90_000);
    const probe = settle(long.fire(() => new Promise(() => {})));
    await clock.advance(89_999);
    expect(long.state).toBe('HALF_OPEN');
    await clock.advance(1);
    await expect(probe).resolves.toMatchObject({ timeoutMs: 90_000 });
    const timed = await halfOpenBreaker({ timeoutMs: 300 });
    const other = settle(timed.fire(() => new Promise(() => {})));
    await clock.advance(300);
    await expect(other).resolves.toMatchObject({ timeoutMs: 300 });
  });
});

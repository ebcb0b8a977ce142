import { describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import {
  abort,
  boom,
  clock,
  fail,
  halfOpenBreaker,
  makeBreaker,
  onManualClock,
  openBreaker,
  type Run,
  settle,
  succeed,
  times,
} from './breaker-stories.fixture.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';

onManualClock();

describe('a fallback', () => {
  it('answers for failures, timeouts and rejections, with the error and the arguments', async () => {
    const fallback = vi.fn(async () => 'cached');
    const breaker = makeBreaker({ failureThreshold: 2, timeoutMs: 100, fallback });
    await expect(breaker.fire(fail)).resolves.toBe('cached');
    const hung: Run = () => new Promise(() => {});
    const timedOut = breaker.fire(hung);
    await clock.advance(100);
    await expect(timedOut).resolves.toBe('cached');
    await expect(breaker.fire(succeed)).resolves.toBe('cached');
    expect(fallback.mock.calls).toEqual([
      [boom, fail],
      [expect.objectContaining({ code: 'DESCRIBE_TIMEOUT' }), hung],
      [expect.objectContaining({ code: 'DESCRIBE_CIRCUIT_OPEN' }), succeed],
    ]);
    expect(breaker.getStats().totals).toMatchObject({ failed: 2, rejected: 1, fellBack: 3 });
  });

  it('is not asked for a neutral error', async () => {
    const breaker = makeBreaker({ fallback: () => 'cached' });
    await expect(breaker.fire(abort)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('leaves the first error when it throws or rejects', async () => {
    const throwing = makeBreaker({
      fallback: () => {
        throw new Error('fallback');
      },
    });
    await expect(throwing.fire(fail)).rejects.toBe(boom);
    const rejecting = makeBreaker({ fallback: () => Promise.reject(new Error('fallback')) });
    await expect(rejecting.fire(fail)).rejects.toBe(boom);
    expect(rejecting.getStats().totals.fellBack).toBe(0);
  });
});

describe('the outcome of a call', () => {
  it('ends a run of failures by a slow success too', async () => {
    const breaker = makeBreaker({ failureThreshold: 2, slowCallDurationMs: 100, minimumCalls: 100 });
    await times(1, breaker, fail);
    const gate = new Deferred<string>();
    const slow = breaker.fire(() => gate.promise);
    await clock.advance(100);
    gate.resolve('phew');
    await slow;
    await times(1, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
  });

  it('takes its own timeout for a failure whatever isFailure says', async () => {
    const breaker = makeBreaker({ failureThreshold: 1, timeoutMs: 100, isFailure: () => false });
    const call = settle(breaker.fire(() => new Promise(() => {})));
    await clock.advance(100);
    await call;
    expect(breaker.state).toBe('OPEN');
  });

  it('has an aborted signal for who reads it only after the timeout', async () => {
    const late = new Deferred<AbortSignal>();
    const breaker = new CircuitBreaker(
      'late reader',
      async function () {
        await new Promise((resolve) => {
          clock.setTimeout(() => resolve(undefined), 200);
        });
        late.resolve(this.signal);
      },
      { clock, timeoutMs: 100 },
    );
    void settle(breaker.fire());
    await clock.advance(200);
    const signal = await late.promise;
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
  });

  it('survives arguments that throw when looked at, and errors that are no objects', async () => {
    const hostile = {
      get signal(): never {
        throw new Error('hands off');
      },
    };
    const breaker = new CircuitBreaker('hostile', (_hostile: object) => Promise.reject(undefined), { clock });
    await expect(breaker.fire(hostile)).rejects.toBeUndefined();
    const proxy = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hands off');
        },
        getPrototypeOf: () => {
          throw new Error('hands off');
        },
      },
    );
    const nasty = new CircuitBreaker('nasty', (error: object) => Promise.reject(error), { clock });
    await expect(nasty.fire(proxy).catch((error) => error === proxy)).resolves.toBe(true);
    expect(nasty.getStats()).toMatchObject({
      running: 0,
      totals: { failed: 1 },
      lastFailure: { name: 'object' },
    });
    expect(breaker.getStats().totals.failed).toBe(1);
  });

  it('takes a thenable for a promise', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what this is about
    const thenable = { then: (resolve: (value: string) => void) => resolve('from afar') };
    const breaker = new CircuitBreaker('thenable', () => thenable as PromiseLike<string>);
    await expect(breaker.fire()).resolves.toBe('from afar');
  });

  it('adopts a promise whose then throws', async () => {
    class Nasty extends Promise<string> {
      // biome-ignore lint/suspicious/noThenProperty: a hostile promise is what this is about
      override then(): never {
        throw boom;
      }
    }
    const breaker = new CircuitBreaker('nasty', () => new Nasty(() => {}) as Promise<string>);
    await expect(breaker.fire()).rejects.toBe(boom);
    expect(breaker.running).toBe(0);
  });

  it('rejects without stack frames and leaves the limit of others alone', async () => {
    const before = Error.stackTraceLimit;
    expect(before).toBeGreaterThan(0);
    const breaker = await openBreaker();
    const error = (await settle(breaker.fire(succeed))) as Error;
    expect(error.stack).not.toMatch(/\n\s+at /);
    expect(Error.stackTraceLimit).toBe(before);
  });

  it('does not let an error ask for nothing, nonsense, or more than an hour', async () => {
    const lengthFor = async (retryAfterMs: unknown, options: CircuitBreakerOptions<[Run], string> = {}) => {
      const breaker = makeBreaker({ failureThreshold: 1, ...options });
      await settle(breaker.fire(() => Promise.reject(Object.assign(new Error('busy'), { retryAfterMs }))));
      return breaker.getStats().retryAfterMs;
    };
    await expect(lengthFor(0)).resolves.toBe(1_000);
    await expect(lengthFor(-5)).resolves.toBe(1_000);
    await expect(lengthFor(Number.NaN)).resolves.toBe(1_000);
    await expect(lengthFor('5')).resolves.toBe(1_000);
    await expect(lengthFor(Number.POSITIVE_INFINITY)).resolves.toBe(3_600_000);
    await expect(lengthFor(90_000_000)).resolves.toBe(3_600_000);
    await expect(lengthFor(90_000, { maxResetTimeoutMs: 5_000 })).resolves.toBe(5_000);
    await expect(lengthFor(1, { retryAfterMs: () => 77 })).resolves.toBe(77);
    const throwing = () => {
      throw new Error('oops');
    };
    await expect(lengthFor(1, { retryAfterMs: throwing })).resolves.toBe(1_000);
  });

  it('is not opened by an outcome whose callback gave it a command', async () => {
    const breaker = makeBreaker({
      failureThreshold: 1,
      retryAfterMs: () => {
        breaker.shutdown();
        return undefined;
      },
    });
    await expect(breaker.fire(fail)).rejects.toBe(boom);
    expect(vi.getTimerCount()).toBe(0);
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('has no jitter when its source of chance throws or talks nonsense', async () => {
    for (const random of [
      () => {
        throw new Error('no luck');
      },
      () => Number.NaN,
      () => -3,
    ]) {
      const breaker = await openBreaker({ random, resetJitterRatio: 1 });
      expect(breaker.getStats().retryAfterMs).toBe(1_000);
    }
  });

  it('asks a condemned result for the length of the break, but not a slow one', async () => {
    const failed = new CircuitBreaker('result', () => ({ retryAfterMs: 4_000 }), {
      clock,
      failureThreshold: 1,
      isFailureResult: () => true,
    });
    await failed.fire();
    expect(failed.getStats().retryAfterMs).toBe(4_000);
    const gate = new Deferred<{ retryAfterMs: number }>();
    const slow = new CircuitBreaker('slow', () => gate.promise, {
      clock,
      minimumCalls: 1,
      slowCallDurationMs: 100,
    });
    const call = slow.fire();
    await clock.advance(100);
    gate.resolve({ retryAfterMs: 4_000 });
    await call;
    expect(slow.getStats().retryAfterMs).toBe(60_000);
    failed.shutdown();
    slow.shutdown();
  });

  it('opens for a share of slow calls of slowCallRatio, and not before', async () => {
    const breaker = makeBreaker({ slowCallDurationMs: 100, slowCallRatio: 0.8, minimumCalls: 2 });
    const callFor = async (durationMs: number) => {
      const gate = new Deferred<string>();
      const call = breaker.fire(() => gate.promise);
      await clock.advance(durationMs);
      gate.resolve('done');
      await call;
    };
    await callFor(0);
    for (let slow = 0; slow < 3; slow += 1) await callFor(100);
    expect(breaker.state).toBe('CLOSED');
    await callFor(100);
    expect(breaker.state).toBe('OPEN');
  });

  it('has no cause, and no wish for a length, of an older failure when slow calls or a failed result opened it', async () => {
    const breaker = makeBreaker({
      slowCallDurationMs: 100,
      slowCallRatio: 0.5,
      minimumCalls: 2,
      failureThreshold: 9,
      errorThresholdPercentage: 100,
    });
    const monday = Object.assign(new Error('Monday'), { retryAfterMs: 5_000 });
    await settle(breaker.fire(() => Promise.reject(monday)));
    const gate = new Deferred<string>();
    const slow = breaker.fire(() => gate.promise);
    await clock.advance(100);
    gate.resolve('phew');
    await slow;
    expect(breaker.getStats().retryAfterMs).toBe(1_000);
    expect(await settle(breaker.fire(succeed))).not.toHaveProperty('cause');
    const condemning = makeBreaker({ failureThreshold: 2, isFailureResult: (result) => result === '503' });
    await settle(condemning.fire(() => Promise.reject(monday)));
    await condemning.fire(() => '503');
    expect(await settle(condemning.fire(succeed))).not.toHaveProperty('cause');
  });

  it('forgets the last failure when it closes', async () => {
    const breaker = await halfOpenBreaker();
    await breaker.fire(succeed);
    expect(breaker.getStats()).not.toHaveProperty('lastFailure');
  });

  it('has no cause when opened by hand', async () => {
    const breaker = makeBreaker();
    await settle(breaker.fire(fail));
    breaker.open();
    const error = await settle(breaker.fire(succeed));
    expect(error).not.toHaveProperty('cause');
  });

  it('lets 14 % of 50 probes be 7, although 50 * 0.14 is a little more', async () => {
    const breaker = await halfOpenBreaker({ halfOpenMaxCalls: 50, halfOpenSuccessRatio: 0.14 });
    await times(7, breaker, succeed);
    expect(breaker.state).toBe('CLOSED');
  });

  it('never measures a negative time when the clock runs backwards', async () => {
    let nowMs = 1_000;
    const backwards = { ...clock, now: () => nowMs, setTimeout: () => 0, clearTimeout: () => {} };
    const breaker = makeBreaker({ clock: backwards, slowCallDurationMs: 1, windowMs: 1_000 });
    const durations: unknown[] = [];
    breaker.on('succeeded', ({ durationMs }) => durations.push(durationMs));
    await breaker.fire(() => {
      nowMs = 400;
      return 'fine';
    });
    expect(durations).toEqual([0]);
    expect(breaker.getStats().window.calls).toBe(1);
  });
});

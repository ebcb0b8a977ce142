import { describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import {
  abort,
  boom,
  clock,
  fail,
  makeBreaker,
  onManualClock,
  openBreaker,
  type Run,
  settle,
  succeed,
  times,
} from './breaker-stories.fixture.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

onManualClock();

describe('a closed breaker', () => {
  it('passes arguments in and the result out', async () => {
    const add = new CircuitBreaker('add', (left: number, right: number) => left + right);
    await expect(add.fire(2, 3)).resolves.toBe(5);
  });

  it('passes on what the action throws, thrown at once or later', async () => {
    const breaker = makeBreaker();
    await expect(breaker.fire(fail)).rejects.toBe(boom);
    await expect(
      breaker.fire(() => {
        throw boom;
      }),
    ).rejects.toBe(boom);
  });

  it('opens on the fifth failure in a row', async () => {
    const breaker = makeBreaker();
    await times(4, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
    await times(1, breaker, fail);
    expect(breaker.state).toBe('OPEN');
  });

  it('starts counting in a row again after a success', async () => {
    const breaker = makeBreaker({ minimumCalls: 100 });
    await times(4, breaker, fail);
    await times(1, breaker, succeed);
    await times(4, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens when half of at least ten outcomes failed', async () => {
    const breaker = makeBreaker({ failureThreshold: 100 });
    await times(5, breaker, succeed);
    await times(4, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
    await times(1, breaker, fail);
    expect(breaker.state).toBe('OPEN');
  });

  it('forgets outcomes that left the window of time', async () => {
    const breaker = makeBreaker({ failureThreshold: 100, windowMs: 10_000 });
    await times(9, breaker, fail);
    await clock.advance(10_000);
    await times(1, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.getStats().window.calls).toBe(1);
  });

  it('forgets outcomes that left the window of calls', async () => {
    const breaker = makeBreaker({ failureThreshold: 100, windowCalls: 4 });
    await times(1, breaker, fail);
    await times(4, breaker, succeed);
    await times(1, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
    await times(1, breaker, fail);
    expect(breaker.state).toBe('OPEN');
  });

  it('opens on five failures a minute apart, which no window of a minute holds', async () => {
    const breaker = makeBreaker();
    for (let minute = 0; minute < 5; minute += 1) {
      await clock.advance(60_000);
      await times(1, breaker, fail);
    }
    expect(breaker.state).toBe('OPEN');
  });

  it('never opens on a failure every eleven minutes', async () => {
    const breaker = makeBreaker();
    for (let index = 0; index < 20; index += 1) {
      await times(1, breaker, fail);
      await clock.advance(660_000);
    }
    expect(breaker.state).toBe('CLOSED');
  });

  it('counts a call when it ends, however long it ran', async () => {
    const breaker = makeBreaker({ failureThreshold: 100, windowMs: 10_000, timeoutMs: 30_000 });
    const calls = Array.from({ length: 10 }, () => settle(breaker.fire(() => new Promise(() => {}))));
    await clock.advance(30_000);
    await Promise.all(calls);
    expect(breaker.state).toBe('OPEN');
    expect(breaker.getStats().totals).toMatchObject({ failed: 10, timedOut: 10, late: 0 });
  });

  it('opens on slow calls although they succeed', async () => {
    const breaker = makeBreaker({ slowCallDurationMs: 100, slowCallRatio: 1, minimumCalls: 2 });
    const slowly = async () => {
      const gate = new Deferred<string>();
      const call = breaker.fire(() => gate.promise);
      await clock.advance(100);
      gate.resolve('late');
      await call;
    };
    await slowly();
    expect(breaker.state).toBe('CLOSED');
    await slowly();
    expect(breaker.state).toBe('OPEN');
    expect(breaker.getStats().totals).toMatchObject({ succeeded: 2, slow: 2 });
  });

  it('ignores aborts and what isFailure says no to', async () => {
    const breaker = makeBreaker({ failureThreshold: 1, isFailure: (error) => error === boom });
    await times(20, breaker, abort);
    await times(20, breaker, async () => {
      throw new Error('not found');
    });
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.getStats().window.calls).toBe(0);
    expect(breaker.getStats().totals.ignored).toBe(40);
  });

  it('ignores what a signal among the arguments aborted, whatever its reason', async () => {
    const request = new CircuitBreaker(
      'request',
      (_url: string, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      { failureThreshold: 1, isFailure: () => true },
    );
    const controller = new AbortController();
    const call = request.fire('/', { signal: controller.signal });
    controller.abort(boom);
    await expect(call).rejects.toBe(boom);
    expect(request.state).toBe('CLOSED');
  });

  it('takes a throwing isFailure for a yes', async () => {
    const breaker = makeBreaker({
      failureThreshold: 1,
      isFailure: () => {
        throw new Error('oops');
      },
    });
    await expect(breaker.fire(fail)).rejects.toBe(boom);
    expect(breaker.state).toBe('OPEN');
  });

  it('counts a result that isFailureResult condemns and hands it out all the same', async () => {
    const breaker = makeBreaker({ failureThreshold: 1, isFailureResult: (result) => result === '503' });
    await expect(breaker.fire(() => '503')).resolves.toBe('503');
    expect(breaker.state).toBe('OPEN');
  });

  it('aborts each call by its own timeout and leaves the others alone', async () => {
    const breaker = makeBreaker({ timeoutMs: 100 });
    const signals: AbortSignal[] = [];
    const hang: Run = (signal) => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const first = settle(breaker.fire(hang));
    await clock.advance(60);
    const second = settle(breaker.fire(hang));
    await clock.advance(40);
    await expect(first).resolves.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 100 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await clock.advance(60);
    await expect(second).resolves.toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('an open breaker', () => {
  it('rejects at once with its name, the time to wait and what opened it', async () => {
    const breaker = await openBreaker();
    await clock.advance(400);
    const action = vi.fn(succeed);
    await expect(breaker.fire(action)).rejects.toMatchObject({
      code: 'DESCRIBE_CIRCUIT_OPEN',
      breaker: 'upstream',
      retryAfterMs: 600,
      cause: boom,
      retryable: true,
    });
    expect(action).not.toHaveBeenCalled();
  });

  it('half-opens when its time is over, by its timer alone', async () => {
    const breaker = await openBreaker();
    const halfOpened = vi.fn();
    breaker.on('halfOpened', halfOpened);
    await clock.advance(999);
    expect(halfOpened).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(halfOpened).toHaveBeenCalledWith({ name: 'upstream' });
  });

  it('half-opens by the clock when its timer is late', async () => {
    const lone = new ManualClock();
    const breaker = makeBreaker({ clock: lone, failureThreshold: 1 });
    await settle(breaker.fire(fail));
    await lone.advance(1_000);
    expect(breaker.state).toBe('HALF_OPEN');
    expect(vi.getTimerCount()).toBe(0);
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    expect(breaker.state).toBe('CLOSED');
  });

  it('stays open as long as the error asked for', async () => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    await settle(breaker.fire(() => Promise.reject(Object.assign(new Error('busy'), { retryAfterMs: 5_000 }))));
    await clock.advance(4_999);
    expect(breaker.state).toBe('OPEN');
    await clock.advance(1);
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('doubles its breaks up to the maximum until it closes', async () => {
    const breaker = await openBreaker({ maxResetTimeoutMs: 3_000, resetJitterRatio: 0 });
    const breaks: unknown[] = [];
    breaker.on('opened', ({ retryAfterMs }) => breaks.push(retryAfterMs));
    for (const lengthMs of [1_000, 2_000, 3_000]) {
      await clock.advance(lengthMs);
      await times(1, breaker, fail);
    }
    expect(breaks).toEqual([2_000, 3_000, 3_000]);
    await clock.advance(3_000);
    await times(1, breaker, succeed);
    await times(1, breaker, fail);
    expect(breaks.at(-1)).toBe(1_000);
  });

  it('shortens its breaks by at most the jitter', async () => {
    const breaker = await openBreaker({ maxResetTimeoutMs: 3_000, random: () => 0.5 });
    expect(breaker.getStats().retryAfterMs).toBe(900);
  });

  it('is not moved by calls that began before the break', async () => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    const gate = new Deferred<string>();
    const early = breaker.fire(() => gate.promise);
    await settle(breaker.fire(fail));
    await clock.advance(1_000);
    gate.resolve('old news');
    await expect(early).resolves.toBe('old news');
    expect(breaker.state).toBe('HALF_OPEN');
    expect(breaker.getStats().totals.late).toBe(1);
  });
});

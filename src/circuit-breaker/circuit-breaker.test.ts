import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';

type Run = (signal: AbortSignal) => Promise<string> | string;

let clock: ManualClock;

beforeEach(() => {
  vi.useFakeTimers();
  clock = new ManualClock({ fakeTimers: vi });
});

afterEach(() => {
  for (const breaker of made.splice(0)) breaker.shutdown();
  expect(vi.getTimerCount(), 'global timers left').toBe(0);
  vi.useRealTimers();
});

type Breaker = CircuitBreaker<[Run], string>;

const made: Breaker[] = [];

function makeBreaker(options: CircuitBreakerOptions<[Run], string> = {}): Breaker {
  const breaker = new CircuitBreaker<[Run], string>(
    'upstream',
    function (run) {
      return run(this.signal);
    },
    { clock, resetTimeoutMs: 1_000, ...options },
  );
  made.push(breaker);
  return breaker;
}

const succeed: Run = async () => 'fine';
const boom = new Error('boom');
const fail: Run = async () => {
  throw boom;
};
const abort: Run = async () => {
  throw new DOMException('gone', 'AbortError');
};
const settle = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);

async function times(count: number, breaker: Breaker, run: Run): Promise<void> {
  for (let index = 0; index < count; index += 1) await settle(breaker.fire(run));
}

async function openBreaker(options: CircuitBreakerOptions<[Run], string> = {}): Promise<Breaker> {
  const breaker = makeBreaker({ failureThreshold: 1, ...options });
  await settle(breaker.fire(fail));
  expect(breaker.state).toBe('OPEN');
  return breaker;
}

async function halfOpenBreaker(options: CircuitBreakerOptions<[Run], string> = {}): Promise<Breaker> {
  const breaker = await openBreaker(options);
  await clock.advance(1_000);
  expect(breaker.state).toBe('HALF_OPEN');
  return breaker;
}

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
    await settle(
      breaker.fire(() => Promise.reject(Object.assign(new Error('busy'), { retryAfterMs: 5_000 }))),
    );
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

describe('a half-open breaker', () => {
  it('closes after a successful probe, with a clean slate', async () => {
    const breaker = await halfOpenBreaker();
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.getStats().window).toMatchObject({ calls: 0, consecutiveFailures: 0 });
  });

  it('opens again after a failed probe', async () => {
    const breaker = await halfOpenBreaker();
    await times(1, breaker, fail);
    expect(breaker.state).toBe('OPEN');
  });

  it('closes after the third half-open success', async () => {
    const breaker = await halfOpenBreaker({ halfOpenMaxCalls: 3 });
    await times(2, breaker, succeed);
    expect(breaker.state).toBe('HALF_OPEN');
    await times(1, breaker, succeed);
    expect(breaker.state).toBe('CLOSED');
  });

  it('lets no more probes through than it may', async () => {
    const breaker = await halfOpenBreaker({ halfOpenMaxCalls: 2 });
    const gate = new Deferred<string>();
    const probes = [breaker.fire(() => gate.promise), breaker.fire(() => gate.promise)];
    await expect(breaker.fire(succeed)).rejects.toMatchObject({
      code: 'DESCRIBE_CIRCUIT_OPEN',
      retryAfterMs: 1_000,
      cause: boom,
    });
    gate.resolve('fine');
    await Promise.all(probes);
    expect(breaker.state).toBe('CLOSED');
  });

  it('closes when enough probes succeed, and opens as soon as they no longer can', async () => {
    const options = { halfOpenMaxCalls: 4, halfOpenSuccessRatio: 0.5 };
    const closing = await halfOpenBreaker(options);
    await times(2, closing, fail);
    await times(2, closing, succeed);
    expect(closing.state).toBe('CLOSED');
    const opening = await halfOpenBreaker(options);
    await times(3, opening, fail);
    expect(opening.state).toBe('OPEN');
    closing.shutdown();
  });

  it('gives the place of a neutral probe back without a verdict', async () => {
    const breaker = await halfOpenBreaker();
    await times(3, breaker, abort);
    expect(breaker.state).toBe('HALF_OPEN');
    await times(1, breaker, succeed);
    expect(breaker.state).toBe('CLOSED');
  });

  it('takes a slow probe for a failed one', async () => {
    const breaker = await halfOpenBreaker({ slowCallDurationMs: 100 });
    const gate = new Deferred<string>();
    const probe = breaker.fire(() => gate.promise);
    await clock.advance(100);
    gate.resolve('phew');
    await expect(probe).resolves.toBe('phew');
    expect(breaker.state).toBe('OPEN');
  });

  it('ends a hung probe by its deadline, aborts it and opens again', async () => {
    const breaker = await halfOpenBreaker({ halfOpenTimeoutMs: 200 });
    let signal: AbortSignal | undefined;
    const probe = settle(
      breaker.fire((own) => {
        signal = own;
        return new Promise(() => {});
      }),
    );
    await clock.advance(200);
    await expect(probe).resolves.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 200 });
    expect(signal?.aborted).toBe(true);
    expect(breaker.state).toBe('OPEN');
  });
});

describe('manual commands', () => {
  it('opens for one break', async () => {
    const breaker = makeBreaker();
    breaker.open();
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    await clock.advance(1_000);
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('isolates until closed, whatever the time', async () => {
    const breaker = await openBreaker();
    breaker.isolate();
    expect(vi.getTimerCount()).toBe(0);
    await clock.advance(10_000_000);
    expect(breaker.state).toBe('ISOLATED');
    const rejection = await settle(breaker.fire(succeed));
    expect(rejection).toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN', retryable: false, cause: boom });
    expect((rejection as { retryAfterMs?: number }).retryAfterMs).toBeUndefined();
    breaker.close();
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    breaker.open();
    breaker.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('closes at once and forgets what it knew', async () => {
    const breaker = makeBreaker();
    await times(4, breaker, fail);
    breaker.close();
    await times(4, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
  });

  it('ends: leaves no timer, refuses calls, lets running ones end', async () => {
    const breaker = await halfOpenBreaker();
    const gate = new Deferred<string>();
    const probe = breaker.fire(() => gate.promise);
    breaker.shutdown();
    breaker.shutdown();
    breaker.close();
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    gate.resolve('still fine');
    await expect(probe).resolves.toBe('still fine');
    expect(vi.getTimerCount()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a shut down breaker', () => {
  it('does not come back by a command or a late outcome', async () => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    const gate = new Deferred<string>();
    const running = settle(breaker.fire(() => gate.promise));
    breaker.shutdown();
    breaker.open();
    breaker.isolate();
    breaker.close();
    gate.reject(boom);
    await expect(running).resolves.toBe(boom);
    expect(breaker.state).toBe('ISOLATED');
    expect(breaker.getStats().totals).toMatchObject({ failed: 1, late: 1, opened: 0 });
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

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

describe('corners', () => {
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

  it('ignores an AbortError of a caller whose signal has another reason', async () => {
    const controller = new AbortController();
    const breaker = new CircuitBreaker(
      'request',
      async (_options: { signal: AbortSignal }) => abort(controller.signal),
      {
        failureThreshold: 1,
        isFailure: () => true,
      },
    );
    controller.abort(boom);
    await settle(breaker.fire(controller));
    expect(breaker.state).toBe('CLOSED');
    await settle(breaker.fire(new AbortController()));
    expect(breaker.state).toBe('OPEN');
    breaker.shutdown();
  });

  it('takes a timeout by a signal of the caller for what it is: the other side was too slow', async () => {
    const request = new CircuitBreaker(
      'request',
      ({ signal }: { signal: AbortSignal }) => Promise.reject(signal.reason),
      { failureThreshold: 1 },
    );
    const controller = new AbortController();
    controller.abort(new DOMException('too slow', 'TimeoutError'));
    await settle(request.fire(controller));
    expect(request.state).toBe('OPEN');
    request.shutdown();
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

  it('shows the last failure as the cause when slow calls opened it, but not its wish for a length', async () => {
    const breaker = makeBreaker({
      slowCallDurationMs: 100,
      slowCallRatio: 0.5,
      minimumCalls: 2,
      failureThreshold: 9,
      errorThresholdPercentage: 100,
    });
    const busy = Object.assign(new Error('busy'), { retryAfterMs: 5_000 });
    await settle(breaker.fire(() => Promise.reject(busy)));
    const gate = new Deferred<string>();
    const slow = breaker.fire(() => gate.promise);
    await clock.advance(100);
    gate.resolve('phew');
    await slow;
    expect(breaker.getStats().retryAfterMs).toBe(1_000);
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ cause: busy });
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

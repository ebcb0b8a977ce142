import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clock, fail, makeBreaker, onManualClock, openBreaker, settle, succeed } from './breaker-stories.fixture.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

onManualClock();

const unhandled = vi.fn();
beforeEach(() => {
  unhandled.mockReset();
  process.on('unhandledRejection', unhandled);
});
afterEach(() => {
  process.off('unhandledRejection', unhandled);
});

/** Node reports an unhandled rejection once the microtasks are done. */
const turns = async () => {
  for (let index = 0; index < 3; index += 1) await clock.flush();
};

describe('a callback that promises its answer', () => {
  const later = (async () => {
    throw new Error('later');
  }) as never;

  it('has none, and its rejection is swallowed', async () => {
    const failing = makeBreaker({ failureThreshold: 1, isFailure: later, retryAfterMs: later });
    await settle(failing.fire(fail));
    expect(failing.getStats()).toMatchObject({ state: 'OPEN', retryAfterMs: 1_000 });
    const judged = makeBreaker({ failureThreshold: 1, isFailureResult: later, isNeutralResult: later });
    await judged.fire(succeed);
    expect(judged.getStats().totals).toMatchObject({ succeeded: 1, failed: 0, ignored: 0 });
    await turns();
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('a promise that is none of the usual kind', () => {
  it('is adopted when it is of a class that cannot be constructed by then', async () => {
    class Own extends Promise<string> {
      constructor(value: unknown) {
        super((resolve) => resolve(String(value)));
      }
    }
    const breaker = new CircuitBreaker('own', () => new Own('fine') as Promise<string>);
    const call = breaker.fire();
    await expect(call).rejects.toBeInstanceOf(TypeError);
    expect(breaker.running).toBe(0);
  });

  it('ends its call once, although its own then answers twice', async () => {
    const twice = Object.assign(Promise.resolve('once'), {
      // biome-ignore lint/suspicious/noThenProperty: a promise that answers twice is what this is about
      then(resolve: (value: string) => void) {
        resolve('once');
        resolve('twice');
      },
    });
    const breaker = new CircuitBreaker('twice', () => twice as Promise<string>);
    await expect(breaker.fire()).resolves.toBe('once');
    await turns();
    expect(breaker.getStats()).toMatchObject({ running: 0, totals: { succeeded: 1 } });
  });
});

describe('a clock', () => {
  it('that throws leaves no call hanging', async () => {
    let broken = false;
    const guarded = <Value>(value: Value): Value => {
      if (broken) throw new Error('clock');
      return value;
    };
    const throwing = {
      now: () => guarded(1),
      setTimeout: () => guarded(1),
      clearTimeout: () => guarded(undefined),
    };
    const breaker = makeBreaker({ clock: throwing, timeoutMs: 100 });
    const call = breaker.fire(succeed);
    broken = true;
    await expect(call).resolves.toBe('fine');
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    expect(breaker.getStats()).toMatchObject({ running: 0, totals: { succeeded: 2 } });
  });

  it('that is put back an hour makes no break longer', async () => {
    let nowMs = 1e7;
    const breaker = await openBreaker({
      clock: { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => {} },
    });
    nowMs -= 3_600_000;
    expect(breaker.getStats()).toMatchObject({ openForMs: 0, retryAfterMs: 1_000 });
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ retryAfterMs: 1_000 });
  });
});

describe('a listener that closes the breaker as it half-opens', () => {
  it('lets the call run without a deadline when the clock found the end of the break', async () => {
    let nowMs = 0;
    const setTimeout = vi.fn(() => 0);
    const breaker = await openBreaker({ clock: { now: () => nowMs, setTimeout, clearTimeout: () => {} } });
    breaker.on('halfOpened', () => breaker.close());
    nowMs = 1_000;
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    expect(breaker.state).toBe('CLOSED');
    expect(setTimeout).not.toHaveBeenCalled();
  });
});

describe('breaks by hand', () => {
  it('do not make the later ones longer', async () => {
    const breaker = makeBreaker({ failureThreshold: 1, maxResetTimeoutMs: 8_000, resetJitterRatio: 0 });
    for (let index = 0; index < 3; index += 1) {
      breaker.isolate();
      breaker.open();
    }
    expect(breaker.getStats()).toMatchObject({ retryAfterMs: 1_000, consecutiveBreaks: 0 });
    await clock.advance(1_000);
    await settle(breaker.fire(fail));
    expect(breaker.getStats()).toMatchObject({ retryAfterMs: 1_000, consecutiveBreaks: 1 });
  });
});

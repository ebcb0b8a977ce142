import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import type { CircuitBreakerEvents } from './circuit/circuit-breaker-events.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';

type How = 'succeed' | 'fail' | 'abort';

const boom = Object.assign(new Error('the secret of the payload'), { code: 'E_BOOM' });
const settle = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);
const EVENTS = [
  'stateChanged',
  'opened',
  'halfOpened',
  'closed',
  'isolated',
  'succeeded',
  'failed',
  'ignored',
  'rejected',
  'fellBack',
] as const satisfies readonly (keyof CircuitBreakerEvents)[];

let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

const made: CircuitBreaker<[How], string>[] = [];
afterEach(() => {
  for (const breaker of made.splice(0)) breaker.shutdown();
});

function makeBreaker(options: CircuitBreakerOptions<[How], string> = {}) {
  const breaker = new CircuitBreaker<[How], string>(
    'upstream',
    async (how) => {
      if (how === 'fail') throw boom;
      if (how === 'abort') throw new DOMException('gone', 'AbortError');
      return 'fine';
    },
    { clock, failureThreshold: 1, resetTimeoutMs: 1_000, ...options },
  );
  made.push(breaker);
  return breaker;
}

function record(breaker: CircuitBreaker<[How], string>): unknown[] {
  const seen: unknown[] = [];
  for (const name of EVENTS) breaker.on(name, (payload) => seen.push([name, payload]));
  return seen;
}

describe('the events of a breaker', () => {
  it('tell every change of state after it has settled', async () => {
    const breaker = makeBreaker();
    const states: unknown[] = [];
    breaker.on('stateChanged', ({ from, to }) => states.push([from, to, breaker.state]));
    await settle(breaker.fire('fail'));
    await clock.advance(1_000);
    await settle(breaker.fire('fail'));
    await clock.advance(1_000);
    await settle(breaker.fire('succeed'));
    breaker.close();
    breaker.isolate();
    breaker.isolate();
    breaker.open();
    breaker.open();
    breaker.close();
    expect(states).toEqual([
      ['CLOSED', 'OPEN', 'OPEN'],
      ['OPEN', 'HALF_OPEN', 'HALF_OPEN'],
      ['HALF_OPEN', 'OPEN', 'OPEN'],
      ['OPEN', 'HALF_OPEN', 'HALF_OPEN'],
      ['HALF_OPEN', 'CLOSED', 'CLOSED'],
      ['CLOSED', 'ISOLATED', 'ISOLATED'],
      ['ISOLATED', 'OPEN', 'OPEN'],
      ['OPEN', 'CLOSED', 'CLOSED'],
    ]);
  });

  it('tell how each call ended', async () => {
    const breaker = makeBreaker({ fallback: () => 'cached', slowCallDurationMs: 60_000 });
    const seen = record(breaker);
    const name = 'upstream';
    await breaker.fire('succeed');
    await settle(breaker.fire('abort'));
    await breaker.fire('fail');
    await breaker.fire('succeed');
    const aborted = expect.objectContaining({ name: 'AbortError' });
    const open = expect.objectContaining({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    expect(seen).toEqual([
      ['succeeded', { name, durationMs: 0, slow: false }],
      ['ignored', { name, durationMs: 0, error: aborted }],
      ['opened', { name, reason: 'consecutive-failures', retryAfterMs: 1_000, cause: boom }],
      ['stateChanged', { name, from: 'CLOSED', to: 'OPEN' }],
      ['failed', { name, durationMs: 0, error: boom, timedOut: false }],
      ['fellBack', { name, error: boom }],
      ['rejected', { name, error: open }],
      ['fellBack', { name, error: open }],
    ]);
  });

  it.each([
    ['failure-ratio', { failureThreshold: 100, minimumCalls: 1 }],
    ['slow-call-ratio', { failureThreshold: 100, minimumCalls: 1, slowCallDurationMs: 10, slowCallRatio: 1 }],
  ])('say that the %s opened it', async (reason, options) => {
    const breaker = new CircuitBreaker(
      'slow',
      async () => {
        await clock.advance(10);
        if (reason === 'failure-ratio') throw boom;
      },
      { clock, ...options },
    );
    const opened = vi.fn();
    breaker.on('opened', opened);
    await settle(breaker.fire());
    expect(opened).toHaveBeenCalledWith(expect.objectContaining({ reason }));
    breaker.shutdown();
  });

  it('leave every outcome as it is when listeners throw, reject or never end', async () => {
    const breaker = makeBreaker({ fallback: undefined });
    for (const name of EVENTS) {
      breaker.on(name, () => {
        throw new Error('listener');
      });
      breaker.on(name, () => Promise.reject(new Error('async listener')) as never);
    }
    await expect(breaker.fire('succeed')).resolves.toBe('fine');
    await expect(breaker.fire('fail')).rejects.toBe(boom);
    await expect(breaker.fire('succeed')).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    await clock.advance(1_000);
    await expect(breaker.fire('succeed')).resolves.toBe('fine');
    expect(breaker.state).toBe('CLOSED');
  });

  it('reach every listener in the order of the changes when a listener changes the state', () => {
    const breaker = makeBreaker();
    const seen: unknown[] = [];
    breaker.on('opened', () => breaker.close());
    breaker.on('opened', () => seen.push('opened'));
    breaker.on('closed', () => seen.push('closed'));
    breaker.on('stateChanged', ({ to }) => seen.push(to));
    const story = ['opened', 'OPEN', 'closed', 'CLOSED'];
    breaker.open();
    expect(seen).toEqual(story);
    breaker.open();
    expect(seen).toEqual([...story, ...story]);
  });

  it('stop at unsubscribe and at shutdown', async () => {
    const breaker = makeBreaker();
    const listener = vi.fn();
    {
      using _subscription = breaker.on('succeeded', listener);
      await breaker.fire('succeed');
    }
    await breaker.fire('succeed');
    expect(listener).toHaveBeenCalledTimes(1);
    breaker.on('succeeded', listener);
    const last = breaker.fire('succeed');
    breaker.shutdown();
    await last;
    expect(listener).toHaveBeenCalledTimes(1);
  });
});

describe('the snapshot of a breaker', () => {
  it('is frozen, JSON-safe and shows the kind of the last failure, never its message', async () => {
    const breaker = makeBreaker();
    await settle(breaker.fire('abort'));
    expect(breaker.getStats()).not.toHaveProperty('lastFailure');
    await settle(breaker.fire('fail'));
    await clock.advance(400);
    const stats = breaker.getStats();
    expect(stats).toMatchObject({
      state: 'OPEN',
      lastFailure: { name: 'Error', code: 'E_BOOM' },
      openForMs: 400,
      retryAfterMs: 600,
      consecutiveBreaks: 1,
    });
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    expect(JSON.stringify(stats)).not.toContain('secret');
    expect(Object.isFrozen(stats.window)).toBe(true);
    expect(breaker.getStats()).not.toBe(stats);
  });
});

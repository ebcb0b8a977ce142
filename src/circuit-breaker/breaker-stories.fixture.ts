import { afterEach, beforeEach, expect, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';

export type Run = (signal: AbortSignal) => Promise<string> | string;

/** Fresh for every test; it moves the faked global timers, too. */
export let clock: ManualClock;

/** Runs every test of the file on a manual clock, and checks that its breakers leave no timer. */
export function onManualClock(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    clock = new ManualClock({ fakeTimers: vi });
  });

  afterEach(() => {
    for (const breaker of made.splice(0)) breaker.shutdown();
    expect(vi.getTimerCount(), 'global timers left').toBe(0);
    vi.useRealTimers();
  });
}

type Breaker = CircuitBreaker<[Run], string>;

const made: Breaker[] = [];

export function makeBreaker(options: CircuitBreakerOptions<[Run], string> = {}): Breaker {
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

export const succeed: Run = async () => 'fine';
export const boom = new Error('boom');
export const fail: Run = async () => {
  throw boom;
};
export const abort: Run = async () => {
  throw new DOMException('gone', 'AbortError');
};
export const settle = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);

export async function times(count: number, breaker: Breaker, run: Run): Promise<void> {
  for (let index = 0; index < count; index += 1) await settle(breaker.fire(run));
}

export async function openBreaker(options: CircuitBreakerOptions<[Run], string> = {}): Promise<Breaker> {
  const breaker = makeBreaker({ failureThreshold: 1, ...options });
  await settle(breaker.fire(fail));
  expect(breaker.state).toBe('OPEN');
  return breaker;
}

export async function halfOpenBreaker(options: CircuitBreakerOptions<[Run], string> = {}): Promise<Breaker> {
  const breaker = await openBreaker(options);
  await clock.advance(1_000);
  expect(breaker.state).toBe('HALF_OPEN');
  return breaker;
}

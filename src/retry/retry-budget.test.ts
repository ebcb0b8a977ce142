import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { RetryBudget } from './retry-budget.ts';

const budgetAfter = (calls: number, options: ConstructorParameters<typeof RetryBudget>[0] = {}) => {
  const clock = new ManualClock();
  const budget = new RetryBudget({ clock, ...options });
  for (let call = 0; call < calls; call += 1) budget.recordCall();
  /** Withdraws until it is refused; at most 1,000 times. */
  const drain = () => {
    let taken = 0;
    while (taken < 1000 && budget.tryWithdraw()) taken += 1;
    return taken;
  };
  return { clock, budget, drain };
};

describe('RetryBudget', () => {
  it.each([
    [0, 3],
    [1, 3],
    [15, 3],
    [19, 3],
    [20, 4],
    [100, 20],
    [1004, 200],
  ])('allows of %i calls %i retries', (calls, retries) => {
    expect(budgetAfter(calls).drain()).toBe(retries);
  });

  it('takes shares that are no binary fractions for what they are on paper', () => {
    for (const tenths of [1, 2, 3, 6, 7]) {
      const { drain } = budgetAfter(10, { retryRatio: tenths / 10, minRetries: 0 });
      expect(drain()).toBe(tenths);
    }
  });

  it('forgets calls and retries once they have left the window', async () => {
    const { clock, budget, drain } = budgetAfter(100);
    expect(drain()).toBe(20);
    await clock.advance(9499);
    expect(drain()).toBe(0);
    await clock.advance(501);
    expect(drain()).toBe(3);
    await clock.advance(1_000_000);
    expect(budget.getStats()).toEqual({ windowMs: 10_000, calls: 0, retries: 0, available: 3, refused: 3 });
  });

  it('does not give retries twice for calls of a burst that retries outlive', async () => {
    const { clock, drain } = budgetAfter(100);
    await clock.advance(9400);
    expect(drain()).toBe(20);
    // The calls are gone, their retries are not.
    await clock.advance(1000);
    expect(drain()).toBe(0);
  });

  it('never allows a retry with nothing to allow', () => {
    const { budget, drain } = budgetAfter(100, { retryRatio: 0, minRetries: 0 });
    expect(drain()).toBe(0);
    expect(budget.getStats()).toMatchObject({ available: 0, refused: 1 });
  });

  it('gives a frozen picture', () => {
    const { budget, drain } = budgetAfter(30);
    drain();
    const stats = budget.getStats();
    expect(stats).toEqual({ windowMs: 10_000, calls: 30, retries: 6, available: 0, refused: 1 });
    expect(Object.isFrozen(stats)).toBe(true);
  });

  it('lists wrong options', () => {
    expect(() => new RetryBudget({ retryRatio: 2, minRetries: -1, windowMs: 0 })).toThrow(
      /retryRatio.*minRetries.*windowMs/,
    );
  });

  it('allows a retry only within the share of the last calls, whatever happens when', async () => {
    const event = fc.record({
      waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4000 })),
      calls: fc.integer({ min: 0, max: 40 }),
      retries: fc.integer({ min: 0, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const clock = new ManualClock();
        const budget = new RetryBudget({ clock });
        const calls: number[] = [];
        const retries: number[] = [];
        const since = (times: readonly number[], fromMs: number) => times.filter((at) => at >= fromMs).length;
        for (const { waitMs, calls: made, retries: wanted } of events) {
          await clock.advance(waitMs);
          for (let call = 0; call < made; call += 1) {
            budget.recordCall();
            calls.push(clock.now());
          }
          for (let retry = 0; retry < wanted; retry += 1) {
            // A refusal: the calls that earned earlier retries may have left the window.
            if (!budget.tryWithdraw()) break;
            retries.push(clock.now());
            // Whole slices count: at least 9.5 s, at most 10 s.
            const shortest = since(retries, clock.now() - 9500 + 1e-6);
            const most = Math.max(3, Math.floor(0.2 * since(calls, clock.now() - 10_000)));
            expect(shortest).toBeLessThanOrEqual(most);
          }
        }
        const windows = Math.floor(clock.now() / 9500) + 1;
        expect(retries.length).toBeLessThanOrEqual(0.2 * calls.length + 3 * windows);
      }),
      { seed: 41, numRuns: 150 },
    );
  });
});

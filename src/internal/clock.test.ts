import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { setBackgroundTimeout, systemClock } from './clock.ts';

describe('systemClock', () => {
  it('reads a time that never runs backwards', () => {
    const first = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(first);
  });

  it('clamps a delay that Node would otherwise fire at once', () => {
    const fired = vi.fn();
    const timer = systemClock.setTimeout(fired, 2 ** 40);
    expect((timer as NodeJS.Timeout & { _idleTimeout: number })._idleTimeout).toBe(2 ** 31 - 1);
    systemClock.clearTimeout(timer);
  });

  it('does not hold the process for a background timer', () => {
    const timer = setBackgroundTimeout(systemClock, () => {}, 60_000) as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    systemClock.clearTimeout(timer);
  });
});

describe('ManualClock', () => {
  it('fires timers in the order of their due time, then of their creation', async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    clock.setTimeout(() => order.push('second'), 20);
    clock.setTimeout(() => order.push('first'), 10);
    clock.setTimeout(() => order.push('third'), 20);
    await clock.advance(20);
    expect(order).toEqual(['first', 'second', 'third']);
    expect(clock.now()).toBe(20);
    expect(clock.pendingTimers).toBe(0);
  });

  it('fires timers that were started by timers and by promises on the way', async () => {
    const clock = new ManualClock();
    const order: number[] = [];
    clock.setTimeout(() => {
      void Promise.resolve().then(() => clock.setTimeout(() => order.push(clock.now()), 5));
    }, 10);
    await clock.advance(15);
    expect(order).toEqual([15]);
  });

  it('does not fire what was cleared', async () => {
    const clock = new ManualClock();
    const fired = vi.fn();
    clock.clearTimeout(clock.setTimeout(fired, 10));
    await clock.advance(10);
    expect(fired).not.toHaveBeenCalled();
  });

  it('moves faked global timers along', async () => {
    vi.useFakeTimers();
    const clock = new ManualClock({ fakeTimers: vi });
    const seen: number[] = [];
    setTimeout(() => seen.push(clock.now()), 30);
    await clock.advance(29);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual([30]);
    vi.useRealTimers();
  });
});

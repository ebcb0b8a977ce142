import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { childController, onAbort, raceSignal, sleep, withTimeout } from './signals.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('onAbort', () => {
  it('keeps no signal that nobody else holds, so that an iteration may be left where it stands', async () => {
    const signals = Array.from({ length: 10 }, () => {
      const { signal } = new AbortController();
      onAbort(signal, () => {});
      return new WeakRef(signal);
    });
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(signals.filter((signal) => signal.deref() !== undefined).length).toBeLessThan(2);
  });

  it('tells nobody who was detached by what another one did a moment before, nor who follows another signal by then', () => {
    const controller = new AbortController();
    const other = new AbortController();
    const heard: string[] = [];
    onAbort(controller.signal, () => {
      heard.push('first');
      detachSecond();
      onAbort(controller.signal, () => heard.push('late'));
    });
    const detachSecond = onAbort(controller.signal, () => heard.push('second'));
    onAbort(controller.signal, () => heard.push('third'));
    onAbort(other.signal, () => heard.push('other'));
    controller.abort();
    expect(heard).toEqual(['first', 'late', 'third']);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  it('listens once however many wait on one signal, and no more when the last has left', () => {
    const controller = new AbortController();
    const heard: number[] = [];
    const detachers = [1, 2, 3].map((number) => onAbort(controller.signal, () => heard.push(number)));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    detachers[1]?.();
    controller.abort();
    expect(heard).toEqual([1, 3]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    for (const detach of detachers) detach();
  });

  it('calls the listener at once when the signal has aborted', () => {
    const listener = vi.fn();
    onAbort(AbortSignal.abort('why'), listener);
    expect(listener).toHaveBeenCalledExactlyOnceWith('why');
  });

  it('leaves no listener once detached', () => {
    const controller = new AbortController();
    const listener = vi.fn();
    onAbort(controller.signal, listener)();
    expect(listenersOf(controller.signal)).toBe(0);
    controller.abort();
    expect(listener).not.toHaveBeenCalled();
  });
});

describe('childController', () => {
  it('aborts with the reason of the first parent that does, and lets go of the others', () => {
    const first = new AbortController();
    const second = new AbortController();
    const child = childController(first.signal, undefined, second.signal);
    second.abort('second');
    expect(child.signal.reason).toBe('second');
    expect(listenersOf(first.signal)).toBe(0);
    first.abort('first');
    expect(child.signal.reason).toBe('second');
  });

  it('starts aborted when a parent is', () => {
    const live = new AbortController();
    const child = childController(live.signal, AbortSignal.abort('gone'));
    expect(child.signal.aborted).toBe(true);
    expect(child.signal.reason).toBe('gone');
    expect(listenersOf(live.signal)).toBe(0);
  });

  it('no longer follows after detach', () => {
    const parent = new AbortController();
    const child = childController(parent.signal);
    child.detach();
    parent.abort();
    expect(child.signal.aborted).toBe(false);
    expect(listenersOf(parent.signal)).toBe(0);
  });
});

describe('raceSignal', () => {
  it('rejects with the reason itself and swallows what the work does later', async () => {
    const controller = new AbortController();
    let failLate: (error: Error) => void = () => {};
    const work = new Promise<never>((_resolve, reject) => {
      failLate = reject;
    });
    const raced = raceSignal(work, controller.signal);
    const reason = { my: 'reason' };
    controller.abort(reason);
    await expect(raced).rejects.toBe(reason);
    failLate(new Error('late'));
  });

  it('settles as the work does and leaves no listener', async () => {
    const controller = new AbortController();
    await expect(raceSignal(Promise.resolve(1), controller.signal)).resolves.toBe(1);
    await expect(raceSignal(Promise.reject(new Error('x')), controller.signal)).rejects.toThrow('x');
    expect(listenersOf(controller.signal)).toBe(0);
  });
});

describe('sleep', () => {
  it('clears its timer and rejects with the reason as soon as it is aborted', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = sleep(1000, { clock, signal: controller.signal });
    controller.abort('up');
    await expect(sleeping).rejects.toBe('up');
    expect(clock.pendingTimers).toBe(0);
    await expect(sleep(1000, { clock, signal: controller.signal })).rejects.toBe('up');
    expect(clock.pendingTimers).toBe(0);
  });

  it('resolves after the delay and leaves no listener', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = sleep(1000, { clock, signal: controller.signal });
    await clock.advance(1000);
    await expect(sleeping).resolves.toBeUndefined();
    expect(listenersOf(controller.signal)).toBe(0);
  });
});

describe('withTimeout', () => {
  it('rejects after the bound and clears the timer when the work is faster', async () => {
    const clock = new ManualClock();
    const slow = withTimeout(new Promise(() => {}), 50, () => new Error('too slow'), clock);
    const settled = expect(slow).rejects.toThrow('too slow');
    await clock.advance(50);
    await settled;
    await expect(withTimeout(Promise.resolve(1), 50, () => new Error('x'), clock)).resolves.toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

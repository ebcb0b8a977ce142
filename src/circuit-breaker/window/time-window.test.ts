import { describe, expect, it } from 'vitest';
import { TimeWindow } from './time-window.ts';

const counts = ({ calls, failures, slowCalls }: TimeWindow) => [calls, failures, slowCalls];

describe('TimeWindow', () => {
  it('counts an outcome for at least nine tenths of the window and never longer than it', () => {
    const window = new TimeWindow(1_000);
    window.record(199, true, true);
    window.forget(1_099);
    expect(counts(window)).toEqual([1, 1, 1]);
    window.forget(1_100);
    expect(counts(window)).toEqual([0, 0, 0]);
  });

  it('drops slices one by one', () => {
    const window = new TimeWindow(1_000);
    for (let atMs = 0; atMs < 1_000; atMs += 100) window.record(atMs, false, false);
    expect(window.calls).toBe(10);
    window.forget(1_250);
    expect(window.calls).toBe(7);
  });

  it('empties at once however far the clock jumps', () => {
    const window = new TimeWindow(1);
    window.record(5, true, false);
    window.forget(Number.MAX_SAFE_INTEGER);
    expect(counts(window)).toEqual([0, 0, 0]);
    window.record(Number.MAX_SAFE_INTEGER, false, false);
    expect(window.calls).toBe(1);
  });

  it('goes on in its newest slice when the clock runs backwards', () => {
    const window = new TimeWindow(1_000);
    window.record(5_000, false, false);
    window.record(100, true, false);
    expect(counts(window)).toEqual([2, 1, 0]);
    window.forget(6_000);
    expect(window.calls).toBe(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalAtMs, arrivalCount } from './load-arrivals.ts';

const times = (ramp: Parameters<typeof arrivalCount>[0]) =>
  Array.from({ length: arrivalCount(ramp) }, (_, index) => arrivalAtMs(ramp, index));

describe('arrivals', () => {
  it('are even at one rate', () => {
    expect(times({ from: 4, to: 4, durationMs: 1000 })).toEqual([0, 250, 500, 750]);
  });

  it('come closer while the rate grows', () => {
    const due = times({ from: 1, to: 9, durationMs: 2000 });
    expect(due).toHaveLength(10);
    const gaps = due.slice(1).map((at, index) => at - (due[index] ?? 0));
    expect(gaps.every((gap, index) => index === 0 || gap < (gaps[index - 1] ?? 0))).toBe(true);
  });

  it('begin at once, never go back and end within the time, whatever the rates', () => {
    const rate = fc.double({ min: 0.01, max: 1000, noNaN: true });
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 1, max: 5000 }), (from, to, durationMs) => {
        const due = times({ from, to, durationMs });
        expect(due.every((at, index) => at >= (due[index - 1] ?? 0))).toBe(true);
        expect(due[0] ?? 0).toBe(0);
        expect(due.at(-1) ?? 0).toBeLessThanOrEqual(durationMs + 1e-6);
      }),
      { seed: 20_261_128 },
    );
  });
});

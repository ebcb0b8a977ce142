import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chanceOfGrowth, medianSlope, trendOf } from './leak-trend.ts';

describe('the trend of a count', () => {
  it('is the middle slope of all pairs', () => {
    expect(medianSlope([1, 2, 3, 4])).toBe(1);
    expect(medianSlope([1, 1, 100, 1, 1])).toBe(0);
    expect(medianSlope([])).toBe(0);
    expect(medianSlope([7])).toBe(0);
  });

  it('has the chance that the published tables give', () => {
    // Gilbert (1987), table A18: n = 10, S = 21 has the probability 0.036.
    expect(chanceOfGrowth([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toBeCloseTo(0.00004, 4);
    expect(chanceOfGrowth([5, 5, 5, 5])).toBe(1);
    expect(chanceOfGrowth([4, 3, 2, 1])).toBe(1);
  });

  it('finds one socket a minute in ten windows of 18 seconds', () => {
    const values = Array.from({ length: 10 }, (_, window) => 6 + Math.floor((window * 18) / 60));
    expect(trendOf('sockets', values, 0.5)).toMatchObject({ isLeak: true });
  });

  it('finds a slow growth below much noise', () => {
    const noise = [0, 90, 30, 10, 80, 50, 20, 70, 40, 60, 15, 85];
    expect(
      trendOf(
        'heap',
        noise.map((value, window) => value + 40 * window),
        100,
      ).isLeak,
    ).toBe(true);
    expect(trendOf('heap', noise, 100).isLeak).toBe(false);
  });

  it('takes a single jump, a fall, or a growth within the tolerance for no leak', () => {
    expect(trendOf('heap', [1, 1, 1, 1, 1, 1, 1, 900], 0).isLeak).toBe(false);
    expect(trendOf('heap', [9, 8, 7, 6, 5, 4, 3, 2], 0).isLeak).toBe(false);
    expect(trendOf('heap', [1, 2, 3, 4, 5, 6, 7, 8], 10).isLeak).toBe(false);
  });

  it('alarms for pure noise in at most one of fifty series', () => {
    let alarms = 0;
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 }), (values) => {
        if (trendOf('noise', values, 0).isLeak) alarms += 1;
      }),
      { seed: 20_261_128, numRuns: 1000 },
    );
    expect(alarms).toBeLessThanOrEqual(20);
  });
});

import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { median, quantile, ratioOfMedians, relativeSpread } from './statistics.ts';

/** Log-normal noise around a centre, as timings have it. */
const noisy = (centre: number, random: () => number, count: number) =>
  Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return centre * Math.exp(normal * 0.05);
  });

describe('quantile', () => {
  it('interpolates between neighbours and leaves its input alone', () => {
    const values = [4, 1, 3, 2];
    expect(quantile(values, 0)).toBe(1);
    expect(median(values)).toBe(2.5);
    expect(quantile(values, 0.75)).toBe(3.25);
    expect(quantile(values, 1)).toBe(4);
    expect(values).toEqual([4, 1, 3, 2]);
  });

  it('gives the only value for every share', () => {
    expect(quantile([7], 0.99)).toBe(7);
  });
});

describe('relativeSpread', () => {
  it('is the middle half over the median, so that one outlier does not count', () => {
    expect(relativeSpread([10, 10, 10, 10, 500])).toBe(0);
    expect(relativeSpread([8, 9, 10, 11, 12])).toBeCloseTo(0.2);
  });
});

describe('ratioOfMedians', () => {
  it('holds the true ratio in about 95 of 100 intervals', () => {
    const random = seededRandom(42);
    let held = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      const { lower, upper } = ratioOfMedians(noisy(3, random, 15), noisy(2, random, 15), { resamples: 400 });
      if (lower <= 1.5 && 1.5 <= upper) held += 1;
    }
    expect(held).toBeGreaterThanOrEqual(180);
  });

  it('cancels what slowed both contenders of a round down', () => {
    const slowdown = [1, 1, 5, 1, 5, 5, 1, 5, 1, 5, 1];
    const { value, lower, upper } = ratioOfMedians(
      slowdown.map((factor) => 3 * factor),
      slowdown.map((factor) => 2 * factor),
    );
    expect([value, lower, upper]).toEqual([1.5, 1.5, 1.5]);
  });

  it('gives the same interval for the same rounds', () => {
    const random = seededRandom(7);
    const [left, right] = [noisy(1, random, 9), noisy(1, random, 9)];
    expect(ratioOfMedians(left, right)).toEqual(ratioOfMedians(left, right));
  });

  it('refuses rounds that do not pair', () => {
    expect(() => ratioOfMedians([1, 2], [1])).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

const of = (...durations: readonly number[]) => {
  const histogram = new LatencyHistogram();
  for (const ms of durations) histogram.record(ms);
  return histogram;
};

describe('a latency histogram', () => {
  it('summarises nothing as nothing', () => {
    expect(of().summary()).toBeUndefined();
  });

  it('keeps minimum, mean and maximum exactly', () => {
    expect(of(0, 1.5, 4_000_000).summary()).toMatchObject({ count: 3, min: 0, mean: 1_333_333.833, max: 4_000_000 });
  });

  it('counts a negative duration as none', () => {
    expect(of(-3).summary()).toMatchObject({ min: 0, max: 0, p50: 0 });
  });

  it('tells the slowest of few apart from the rest', () => {
    const { p50, p99, max } = of(...Array.from({ length: 99 }, () => 10), 900).summary() ?? {};
    expect(p50).toBeCloseTo(10, 1);
    expect(p99).toBeCloseTo(10, 1);
    expect(max).toBe(900);
  });

  it('gives every percentile within 0.8 % of the exact one', () => {
    const duration = fc.oneof(fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1 }),
        (given, share) => {
          const sorted = given.toSorted((left, right) => left - right);
          const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
          // Half a microsecond is the step in which times are counted.
          expect(Math.abs(of(...given).percentile(share) - exact)).toBeLessThanOrEqual(exact * 0.008 + 0.001);
        },
      ),
      { seed: 20_261_128 },
    );
  });
});

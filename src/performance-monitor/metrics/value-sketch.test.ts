import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ValueSketch } from './value-sketch.ts';

const sketchOf = (values: readonly number[]) => {
  const sketch = new ValueSketch();
  for (const value of values) sketch.record(value);
  return sketch;
};

const exact = (values: readonly number[], share: number) =>
  [...values].sort((left, right) => left - right)[Math.max(1, Math.ceil(share * values.length)) - 1] ?? 0;

const SHARES = [0, 0.01, 0.5, 0.95, 0.99, 1];
/** Below 1e-300 doubles have fewer digits. Nothing real is that small. */
const measurable = (value: number) => (Math.abs(value) < 1e-300 ? 0 : value);
const values = fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }).map(measurable), {
  minLength: 1,
  maxLength: 300,
});

describe('ValueSketch', () => {
  it('gives quantiles within 0.8 % of the exact ones, for any values', () => {
    fc.assert(
      fc.property(values, (given) => {
        for (const [index, quantile] of sketchOf(given).quantiles(SHARES).entries()) {
          const truth = exact(given, SHARES[index] ?? 0);
          expect(Math.abs(quantile - truth)).toBeLessThanOrEqual(Math.abs(truth) * 0.008);
        }
      }),
      { seed: 20_261_122, numRuns: 200 },
    );
  });

  it.each([
    [1, 2],
    [-2, -1],
    [-3, 3],
  ])('is as near where all values lie from %i to %i', (min, max) => {
    const near = fc.array(fc.double({ min, max, noNaN: true }).map(measurable), {
      minLength: 20,
      maxLength: 200,
    });
    fc.assert(
      fc.property(near, (given) => {
        for (const [index, quantile] of sketchOf(given).quantiles(SHARES).entries()) {
          const truth = exact(given, SHARES[index] ?? 0);
          expect(Math.abs(quantile - truth)).toBeLessThanOrEqual(Math.abs(truth) * 0.008);
        }
      }),
      { seed: 20_261_122, numRuns: 50 },
    );
  });

  it('is the same merged from parts', () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const merged = sketchOf(left);
        merged.merge(sketchOf(right));
        const whole = sketchOf([...left, ...right]);
        expect(merged.quantiles(SHARES)).toEqual(whole.quantiles(SHARES));
        expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
      }),
      { seed: 20_261_122, numRuns: 100 },
    );
  });

  it('gives zeros when nothing was recorded', () => {
    expect(new ValueSketch().quantiles([0.5])).toEqual([0]);
  });
});

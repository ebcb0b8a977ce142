import { type Random, seededRandom } from './seeded-random.ts';

/** The value below which a share `q` of the values lies, interpolated between neighbours (R's type 7). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** How much the middle half of the values varies: interquartile range over median. */
export function relativeSpread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

/** A ratio with the interval that holds the true one with the given confidence. */
export interface RatioEstimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

export interface RatioOptions {
  /** Share of intervals that hold the true ratio. @defaultValue 0.95 */
  readonly confidence?: number;
  /** Resamples drawn. @defaultValue 2000 */
  readonly resamples?: number;
  /** @defaultValue a generator with a fixed seed, so that the same rounds give the same interval */
  readonly random?: Random;
}

/**
 * The ratio of two medians with a percentile bootstrap interval. Rounds are resampled in pairs, so that a disturbance
 * of both contenders in a round cancels. Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993),
 * chapter 13.
 */
export function ratioOfMedians(
  values: readonly number[],
  baseline: readonly number[],
  { confidence = 0.95, resamples = 2000, random = seededRandom(1) }: RatioOptions = {},
): RatioEstimate {
  if (values.length !== baseline.length || values.length === 0) {
    throw new RangeError(`a ratio needs as many rounds of both, got ${values.length} and ${baseline.length}`);
  }
  const rounds = values.length;
  const ratios = Array.from({ length: resamples }, () => {
    const picked = Array.from({ length: rounds }, () => Math.floor(random() * rounds));
    const numerator = median(picked.map((round) => values[round] ?? Number.NaN));
    return numerator / median(picked.map((round) => baseline[round] ?? Number.NaN));
  });
  return {
    value: median(values) / median(baseline),
    lower: quantile(ratios, (1 - confidence) / 2),
    upper: quantile(ratios, (1 + confidence) / 2),
  };
}

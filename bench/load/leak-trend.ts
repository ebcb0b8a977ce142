/** How a count of something open went over the windows of a soak. */
export interface Trend {
  readonly resource: string;
  /** One value a window, after the warm-up. */
  readonly values: readonly number[];
  /** Growth from the first to the last window by the middle slope of all pairs (Theil and Sen). */
  readonly growth: number;
  /** Growth that counts as none. */
  readonly tolerance: number;
  /** Chance of so steady a growth without a leak (Mann and Kendall, one-sided). */
  readonly chance: number;
  readonly isLeak: boolean;
}

/** A growth is steady when chance alone gives it this seldom. */
export const MAX_CHANCE = 0.01;

/**
 * Decides by the trend over all windows, because a single high value is noise. A leak is a growth beyond the tolerance
 * that is also steady.
 */
export function trendOf(resource: string, values: readonly number[], tolerance: number): Trend {
  const growth = medianSlope(values) * Math.max(0, values.length - 1);
  const chance = chanceOfGrowth(values);
  return { resource, values, growth, tolerance, chance, isLeak: growth > tolerance && chance < MAX_CHANCE };
}

const pairsOf = (values: readonly number[]): readonly { readonly rise: number; readonly run: number }[] =>
  values.flatMap((left, at) =>
    values.slice(at + 1).map((right, distance) => ({ rise: right - left, run: distance + 1 })),
  );

/** Source: Sen (1968), "Estimates of the regression coefficient based on Kendall's tau". */
export function medianSlope(values: readonly number[]): number {
  const slopes = pairsOf(values)
    .map(({ rise, run }) => rise / run)
    .sort((left, right) => left - right);
  const middle = slopes.length / 2;
  const [low = 0, high = low] = Number.isInteger(middle)
    ? [slopes[middle - 1], slopes[middle]]
    : [slopes[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Source: Mann (1945) and Kendall (1975); the variance is corrected for equal values. */
export function chanceOfGrowth(values: readonly number[]): number {
  const { length } = values;
  const sum = pairsOf(values).reduce((total, { rise }) => total + Math.sign(rise), 0);
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const term = (count: number) => count * (count - 1) * (2 * count + 5);
  const ties = [...counts.values()].reduce((total, count) => total + term(count), 0);
  const variance = (term(length) - ties) / 18;
  if (variance <= 0 || sum <= 0) return 1;
  return 1 - normalBelow((sum - 1) / Math.sqrt(variance));
}

/** The normal distribution. Source: Abramowitz and Stegun 26.2.17, exact to 7.5e-8. */
function normalBelow(z: number): number {
  if (z < 0) return 1 - normalBelow(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = series.reduceRight((inner, factor) => t * (factor + inner), 0);
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

import { InputError } from '../../errors/input-error.ts';
import { describeValue } from '../../internal/options/option-checks.ts';

const MAX_BUCKETS = 100;

const DURATIONS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000] as const;
const SIZES_BYTES = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26, 28, 30].map((power) => 2 ** power);
const ANYTHING = [-2, -1, 0, 1, 2, 3, 4].flatMap((power) =>
  [1, 2.5, 5].map((digit) => Number((digit * 10 ** power).toPrecision(2))),
);

/** Upper bounds that suit a unit when the caller names none. */
export function defaultBuckets(unit: string | undefined): readonly number[] {
  if (unit === 'ms') return DURATIONS_MS;
  if (unit === 'seconds') return DURATIONS_MS.map((bound) => bound / 1000);
  return unit === 'bytes' ? SIZES_BYTES : ANYTHING;
}

/** @throws `DESCRIBE_INPUT_INVALID` for bounds that are not finite, not ascending, none or more than 100. */
export function checkBuckets(metric: string, buckets: readonly number[]): void {
  const right =
    Array.isArray(buckets) &&
    buckets.length >= 1 &&
    buckets.length <= MAX_BUCKETS &&
    buckets.every((bound, index) => Number.isFinite(bound) && bound > (buckets[index - 1] ?? Number.NEGATIVE_INFINITY));
  if (!right) {
    const got = Array.isArray(buckets) ? buckets.slice(0, 8).join(', ') || 'none' : describeValue(buckets);
    throw new InputError('buckets', `${metric} needs 1 to ${MAX_BUCKETS} finite, ascending bounds, got ${got}`);
  }
}

/** Sub-buckets of an octave as a power of two: 2^6 keep a quantile within 0.8 % of the value. */
const SUB_BUCKET_BITS = 6;
const SHIFT = 20 - SUB_BUCKET_BITS;

const bits = new DataView(new ArrayBuffer(8));

/** The bucket of a value: the upper bits of its floating-point form, which grow with the value; mirrored below zero. */
function bucketOf(value: number): number {
  if (value === 0) return 0;
  bits.setFloat64(0, Math.abs(value));
  const magnitude = (bits.getUint32(0) >>> SHIFT) + 1;
  return value > 0 ? magnitude : -magnitude;
}

/** The middle of a bucket. */
function middleOf(bucket: number): number {
  if (bucket === 0) return 0;
  const magnitude = Math.abs(bucket) - 1;
  const edge = (at: number) => {
    bits.setUint32(0, at << SHIFT);
    bits.setUint32(4, 0);
    return bits.getFloat64(0);
  };
  const middle = (edge(magnitude) + edge(magnitude + 1)) / 2;
  return bucket > 0 ? middle : -middle;
}

/**
 * Quantiles of any number of values within 0.8 %, from counts in log-linear buckets; of two sketches, too.
 * Values over an ordinary range, say six orders of magnitude, fill at most 1,300 buckets.
 * Source: the bucket layout of G. Tene's HdrHistogram.
 */
export class ValueSketch {
  readonly #counts = new Map<number, number>();
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  record(value: number): void {
    const bucket = bucketOf(value);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  merge(other: ValueSketch): void {
    for (const [bucket, count] of other.#counts) {
      this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    }
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  /** The values at these shares, by nearest rank; 0 when nothing was recorded. */
  quantiles(shares: readonly number[]): readonly number[] {
    const buckets = [...this.#counts].sort(([left], [right]) => left - right);
    return shares.map((share) => {
      const rank = Math.max(1, Math.ceil(share * this.count));
      let seen = 0;
      for (const [bucket, count] of buckets) {
        seen += count;
        if (seen >= rank) return Math.min(this.max, Math.max(this.min, middleOf(bucket)));
      }
      return 0;
    });
  }
}

/** Buckets of an octave as a power of two: 2^6 keep a quantile within 0.8 % of the value. */
const BUCKET_BITS = 6;
const BUCKETS = 2 ** BUCKET_BITS;

/** The upper half of a double: sign, 11 bits of exponent, 20 bits of fraction. */
const FRACTION_BITS = 20;
const BUCKET_SHIFT = FRACTION_BITS - BUCKET_BITS;
const SIGN = 2 ** 11;

const bits = new DataView(new ArrayBuffer(8));

/** The middle of a bucket of an octave (sign and exponent). */
function middleOf(octave: number, bucket: number): number {
  // The lowest octave holds zero, and values so close to it that nothing real has them.
  if ((octave & (SIGN - 1)) === 0) return 0;
  bits.setUint32(0, ((octave << FRACTION_BITS) | (bucket << BUCKET_SHIFT) | (1 << (BUCKET_SHIFT - 1))) >>> 0);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** The rank of an octave: negative ones come first, those of the largest magnitude first of all. */
const rankOf = (octave: number): number => (octave >= SIGN ? SIGN - 1 - octave : octave);

/**
 * Quantiles of any number of values within 0.8 %, from counts in log-linear buckets; of two sketches together, too.
 * Holds 256 bytes for each power of two between the values: 5 KB for six orders of magnitude.
 * Source: the bucket layout of G. Tene's HdrHistogram.
 */
export class ValueSketch {
  readonly #octaves = new Map<number, Uint32Array>();
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  record(value: number): void {
    bits.setFloat64(0, value);
    const upper = bits.getUint32(0);
    const buckets = this.#bucketsOf(upper >>> FRACTION_BITS);
    const bucket = (upper >>> BUCKET_SHIFT) & (BUCKETS - 1);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  merge(other: ValueSketch): void {
    for (const [octave, counts] of other.#octaves) {
      const buckets = this.#bucketsOf(octave);
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        buckets[bucket] = (buckets[bucket] ?? 0) + (counts[bucket] ?? 0);
      }
    }
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  /** The values at these shares, by nearest rank; 0 when nothing was recorded. */
  quantiles(shares: readonly number[]): readonly number[] {
    const octaves = [...this.#octaves].sort(([left], [right]) => rankOf(left) - rankOf(right));
    return shares.map((share) => {
      let left = Math.max(1, Math.ceil(share * this.count));
      for (const [octave, counts] of octaves) {
        for (let step = 0; step < BUCKETS; step += 1) {
          const bucket = octave >= SIGN ? BUCKETS - 1 - step : step;
          left -= counts[bucket] ?? 0;
          if (left <= 0) return Math.min(this.max, Math.max(this.min, middleOf(octave, bucket)));
        }
      }
      return 0;
    });
  }

  #bucketsOf(octave: number): Uint32Array {
    let buckets = this.#octaves.get(octave);
    if (buckets === undefined) {
      buckets = new Uint32Array(BUCKETS);
      this.#octaves.set(octave, buckets);
    }
    return buckets;
  }
}

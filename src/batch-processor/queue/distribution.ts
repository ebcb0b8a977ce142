/** Frozen figures of a distribution; all 0 while it is empty. Quantiles are exact to within 5 %. */
export interface DistributionSnapshot {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Buckets grow by this factor, so a bucket's middle is within 5 % of everything in it. */
const GROWTH = 1.1;
const LOG_GROWTH = Math.log(GROWTH);
/** Smallest value that differs from 0; the last bucket holds everything from about 1e10. */
const SMALLEST = 0.001;
const BUCKETS = 320;

/**
 * Counts values of at least 0 in logarithmic buckets: constant memory, constant time a value.
 * Shape: Masson, Rim and Lee, "DDSketch" (2019), with a fixed number of buckets.
 */
export class Distribution {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #lastValue = Number.NaN;
  #lastIndex = 0;

  record(value: number): void {
    const bounded = Math.max(value, 0);
    // Most items of a batch have the same value: one logarithm serves them all.
    if (bounded !== this.#lastValue) {
      this.#lastValue = bounded;
      this.#lastIndex = indexOf(bounded);
      if (bounded < this.#min) this.#min = bounded;
      if (bounded > this.#max) this.#max = bounded;
    }
    const index = this.#lastIndex;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sum += bounded;
  }

  snapshot(): DistributionSnapshot {
    const count = this.#count;
    return Object.freeze({
      count,
      sum: this.#sum,
      min: count === 0 ? 0 : this.#min,
      max: this.#max,
      mean: count === 0 ? 0 : this.#sum / count,
      p50: this.#quantile(0.5),
      p90: this.#quantile(0.9),
      p99: this.#quantile(0.99),
    });
  }

  #quantile(share: number): number {
    if (this.#count === 0) return 0;
    const rank = Math.ceil(share * this.#count);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen < rank) continue;
      const middle = bucket === 0 ? 0 : SMALLEST * GROWTH ** (bucket - 0.5);
      return Math.min(this.#max, Math.max(this.#min, middle));
    }
    return this.#max;
  }
}

function indexOf(value: number): number {
  if (value < SMALLEST) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(value / SMALLEST) / LOG_GROWTH));
}

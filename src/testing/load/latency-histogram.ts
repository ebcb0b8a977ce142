/** Times of many calls, in milliseconds. Percentiles are exact to 0.8 %; minimum, mean and maximum are exact. */
export interface LatencySummary {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Buckets of each power of two: a value differs from the middle of its bucket by 1 of 256 at most. */
const BUCKETS_PER_OCTAVE = 128;
/** Values are counted in microseconds, up to 2^42 of them, about 50 days. */
const OCTAVES = 42;
const MICROSECONDS = 1000;

const round = (ms: number) => Math.round(ms * MICROSECONDS) / MICROSECONDS;

/**
 * Counts durations in buckets whose width grows with the value, in bounded memory however many there are.
 * Source of the form: Gil Tene's HdrHistogram.
 */
export class LatencyHistogram {
  /** All of them at once, so that a long load does not look like one that leaks. */
  readonly #counts = new Float64Array(BUCKETS_PER_OCTAVE * OCTAVES);
  #count = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** Counts one duration; a negative one, of a clock that was set back, counts as 0. */
  record(durationMs: number): void {
    const ms = Math.max(0, durationMs);
    const at = bucketOf(ms);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += ms;
    this.#minMs = Math.min(this.#minMs, ms);
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** The smallest duration that at least this share of all did not exceed; 0 of an empty histogram. */
  percentile(ratio: number): number {
    const wanted = Math.max(1, Math.ceil(ratio * this.#count));
    if (wanted >= this.#count) return this.#maxMs;
    let seen = 0;
    for (const [at, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(this.#maxMs, Math.max(this.#minMs, middleOf(at)));
    }
    return this.#maxMs;
  }

  /** `undefined` without any value. */
  summary(): LatencySummary | undefined {
    if (this.#count === 0) return undefined;
    const at = (ratio: number) => round(this.percentile(ratio));
    return {
      count: this.#count,
      min: round(this.#minMs),
      mean: round(this.#sumMs / this.#count),
      p50: at(0.5),
      p90: at(0.9),
      p95: at(0.95),
      p99: at(0.99),
      p999: at(0.999),
      max: round(this.#maxMs),
    };
  }
}

/** The first octave holds 0 to 127 µs, a bucket each; later ones halve their precision with each doubling. */
function bucketOf(ms: number): number {
  const value = Math.min(2 ** OCTAVES - 1, Math.round(ms * MICROSECONDS));
  if (value < BUCKETS_PER_OCTAVE) return value;
  const octave = Math.floor(Math.log2(value)) - Math.log2(BUCKETS_PER_OCTAVE) + 1;
  const within = Math.floor(value / 2 ** (octave - 1)) - BUCKETS_PER_OCTAVE;
  return octave * BUCKETS_PER_OCTAVE + within;
}

function middleOf(bucket: number): number {
  const octave = Math.floor(bucket / BUCKETS_PER_OCTAVE);
  const within = bucket % BUCKETS_PER_OCTAVE;
  if (octave === 0) return within / MICROSECONDS;
  const width = 2 ** (octave - 1);
  return ((BUCKETS_PER_OCTAVE + within) * width + (width - 1) / 2) / MICROSECONDS;
}

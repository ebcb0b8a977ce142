import { InputError } from '../../errors/input-error.ts';
import { LabelledMetric, type LabelledSeries } from './labelled-metric.ts';
import { type ExposedSample, type MetricOptions, NO_LINE_LABELS, type Recording } from './metric.ts';
import type { MetricLabels } from './metric-labels.ts';
import { unitExposition } from './metric-name.ts';
import { SlidingSketch } from './sliding-sketch.ts';

const ABOVE_ALL = Object.freeze({ le: '+Inf' });

/** Records a value in one series of a histogram. */
export type BoundHistogram = (value: number) => void;

export interface HistogramSeries extends LabelledSeries {
  /** Values in each bucket; the last is above every bound. */
  readonly counts: number[];
  sum: number;
  count: number;
}

export interface HistogramMetricOptions extends MetricOptions {
  readonly unit: string | undefined;
  /** Upper bounds in the unit of the values, ascending. */
  readonly buckets: readonly number[];
}

/** The spread of values: counts by upper bound for Prometheus, and quantiles of the last window for reports. */
export class HistogramMetric extends LabelledMetric<HistogramSeries> {
  readonly kind = 'histogram';
  readonly merge = 'sum';
  readonly unit: string | undefined;
  readonly buckets: readonly number[];
  readonly window: SlidingSketch;
  readonly #factor: number;

  constructor({ unit, buckets, ...options }: HistogramMetricOptions, nowMs: number) {
    super(options, () => ({ counts: Array<number>(buckets.length + 1).fill(0), sum: 0, count: 0 }));
    this.unit = unit;
    this.buckets = buckets;
    this.#factor = unitExposition(unit).factor;
    this.window = new SlidingSketch(nowMs);
  }

  override get shape(): string {
    return this.#bounds().join();
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for a value that is not finite, and for other labels than the metric's. */
  observe(value: number, labels: MetricLabels): void {
    if (!Number.isFinite(value)) throw this.#wrongValue(value);
    this.record(value, this.series.find(labels));
  }

  /** Records a finite value in one of its series. */
  record(value: number, series: HistogramSeries): void {
    const { buckets } = this;
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
    series.count += 1;
    this.window.current.record(value);
  }

  /** Gives a function that does the same as `observe`, and looks its series up only once. */
  bind(labels: MetricLabels, recording: Recording): BoundHistogram {
    const series = this.series.bound(labels);
    const recordBound = (value: number): void => {
      if (!recording.on) return;
      recording.look();
      if (!Number.isFinite(value)) throw this.#wrongValue(value);
      this.record(value, series());
    };
    return recordBound;
  }

  samples(): readonly ExposedSample[] {
    const names = {
      bucket: `${this.exposedName}_bucket`,
      sum: `${this.exposedName}_sum`,
      count: `${this.exposedName}_count`,
    };
    const bounds = this.#bounds().map((le) => Object.freeze({ le }));
    const lines: ExposedSample[] = [];
    for (const { labels: sharedLabels, counts, sum, count } of this.series) {
      let below = 0;
      for (const [index, labels] of bounds.entries()) {
        below += counts[index] ?? 0;
        lines.push({ metricName: names.bucket, labels, sharedLabels, value: below });
      }
      lines.push({ metricName: names.bucket, labels: ABOVE_ALL, sharedLabels, value: count });
      lines.push({ metricName: names.sum, labels: NO_LINE_LABELS, sharedLabels, value: sum * this.#factor });
      lines.push({ metricName: names.count, labels: NO_LINE_LABELS, sharedLabels, value: count });
    }
    return lines;
  }

  override reset(): void {
    super.reset();
    this.window.clear();
  }

  #wrongValue(value: number): InputError {
    return new InputError('value', `${this.name} takes a finite number, got ${value}`);
  }

  #bounds(): readonly number[] {
    // 250 * 0.001 is 0.25 only by luck. The shortest decimal of 12 digits is the intended bound.
    return this.buckets.map((bound) => Number((bound * this.#factor).toPrecision(12)));
  }
}

import { InputError } from '../../errors/input-error.ts';
import { type ExposedSample, type MetricOptions, type MetricSource, NO_LINE_LABELS, type Recording } from './metric.ts';
import type { MetricLabels } from './metric-labels.ts';
import { RateWindow } from './rate-window.ts';
import { SeriesIndex } from './series-index.ts';

interface CounterSeries {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

/** Adds 1, or the given amount, to one series of a counter. Never throws for an amount of at least 0. */
export type BoundCounter = (by?: number) => void;

/** A number that only grows, one per label set. */
export class CounterMetric implements MetricSource {
  readonly kind = 'counter';
  readonly shape = '';
  readonly merge = 'sum';
  readonly name: string;
  readonly exposedName: string;
  readonly help: string;
  readonly series: SeriesIndex<CounterSeries>;
  readonly rate: RateWindow;
  #total = 0;

  constructor({ name, exposedName, help, ownLabels, maxSeries, onOverflow }: MetricOptions, nowMs: number) {
    this.name = name;
    this.exposedName = exposedName;
    this.help = help;
    this.rate = new RateWindow(nowMs);
    this.series = new SeriesIndex<CounterSeries>({
      metric: name,
      ownLabels,
      maxSeries,
      onOverflow,
      create: (labels) => ({ labels: { ...ownLabels, ...labels }, value: 0 }),
    });
  }

  /** Sum of all series. */
  get total(): number {
    return this.#total;
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for a negative or not finite amount, and for other labels than the metric's. */
  increment(labels: MetricLabels, by: number): void {
    if (!(by >= 0 && by < Number.POSITIVE_INFINITY)) {
      throw new InputError('by', `${this.name} grows by a finite number of at least 0, got ${by}`);
    }
    this.series.find(labels).value += by;
    this.#total += by;
  }

  /** Gives a function that does the same as `increment`, and looks its series up only once. */
  bind(given: MetricLabels, recording: Recording): BoundCounter {
    const labels = { ...given };
    let series: CounterSeries | undefined;
    let epoch = 0;
    const incrementBound = (by = 1): void => {
      if (!recording.on) return;
      recording.countsUntilLook -= 1;
      if (recording.countsUntilLook === 0) recording.look();
      if (series === undefined || epoch !== this.series.epoch || !(by >= 0 && by < Number.POSITIVE_INFINITY)) {
        this.increment(labels, by);
        series = this.series.kept(labels);
        epoch = this.series.epoch;
        return;
      }
      series.value += by;
      this.#total += by;
    };
    return incrementBound;
  }

  samples(): readonly ExposedSample[] {
    return Array.from(this.series, ({ labels, value }) => ({
      labels: NO_LINE_LABELS,
      sharedLabels: labels,
      value,
    }));
  }

  reset(): void {
    this.series.clear();
    this.#total = 0;
    this.rate.clear();
  }
}

import { InputError } from '../../errors/input-error.ts';
import { LabelledMetric, type NumberSeries, samplesOf } from './labelled-metric.ts';
import type { ExposedSample, MetricOptions, Recording } from './metric.ts';
import type { MetricLabels } from './metric-labels.ts';
import { RateWindow } from './rate-window.ts';

/** Adds 1, or the given amount, to one series of a counter. Never throws for an amount of at least 0. */
export type BoundCounter = (by?: number) => void;

/** A number that only grows, one per label set. */
export class CounterMetric extends LabelledMetric<NumberSeries> {
  readonly kind = 'counter';
  readonly merge = 'sum';
  readonly rate: RateWindow;
  /** Sum of all series; only this class writes it. */
  total = 0;

  constructor(options: MetricOptions, nowMs: number) {
    super(options, () => ({ value: 0 }));
    this.rate = new RateWindow(nowMs);
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for a negative or not finite amount, and for other labels than the metric's. */
  increment(labels: MetricLabels, by: number): void {
    if (!(Number.isFinite(by) && by >= 0)) throw this.#wrongAmount(by);
    this.series.find(labels).value += by;
    this.total += by;
  }

  /** Gives a function that does the same as `increment`, and looks its series up only once. */
  bind(labels: MetricLabels, recording: Recording): BoundCounter {
    const series = this.series.bound(labels);
    const incrementBound = (by = 1): void => {
      if (!recording.on) return;
      recording.countsUntilLook -= 1;
      if (recording.countsUntilLook === 0) recording.look();
      if (!(Number.isFinite(by) && by >= 0)) throw this.#wrongAmount(by);
      series().value += by;
      this.total += by;
    };
    return incrementBound;
  }

  samples(): readonly ExposedSample[] {
    return samplesOf(this.series);
  }

  override reset(): void {
    super.reset();
    this.total = 0;
    this.rate.clear();
  }

  #wrongAmount(by: number): InputError {
    return new InputError('by', `${this.name} grows by a finite number of at least 0, got ${by}`);
  }
}

import { InputError } from '../../errors/input-error.ts';
import { LabelledMetric, type NumberSeries, samplesOf } from './labelled-metric.ts';
import type { ExposedSample, MetricOptions } from './metric.ts';
import type { MetricLabels } from './metric-labels.ts';

/** A number that goes up and down, one per label set. */
export class GaugeMetric extends LabelledMetric<NumberSeries> {
  readonly kind = 'gauge';
  readonly merge = 'last';

  constructor(options: MetricOptions) {
    super(options, () => ({ value: 0 }));
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for a value that is not finite, and for other labels than the metric's. */
  set(value: number, labels: MetricLabels): void {
    if (!Number.isFinite(value)) throw new InputError('value', `${this.name} takes a finite number, got ${value}`);
    this.series.find(labels).value = value;
  }

  samples(): readonly ExposedSample[] {
    return samplesOf(this.series);
  }
}

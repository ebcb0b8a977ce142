import { InputError } from '../../errors/input-error.ts';
import { type ExposedSample, type MetricOptions, type MetricSource, NO_LINE_LABELS } from './metric.ts';
import type { MetricLabels } from './metric-labels.ts';
import { SeriesIndex } from './series-index.ts';

interface GaugeSeries {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

/** A number that goes up and down, one a label set. */
export class GaugeMetric implements MetricSource {
  readonly kind = 'gauge';
  readonly shape = '';
  readonly merge = 'last';
  readonly name: string;
  readonly exposedName: string;
  readonly help: string;
  readonly series: SeriesIndex<GaugeSeries>;

  constructor({ name, exposedName, help, ownLabels, maxSeries, onOverflow }: MetricOptions) {
    this.name = name;
    this.exposedName = exposedName;
    this.help = help;
    this.series = new SeriesIndex<GaugeSeries>({
      metric: name,
      ownLabels,
      maxSeries,
      onOverflow,
      create: (labels) => ({ labels: { ...ownLabels, ...labels }, value: 0 }),
    });
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for a value that is not finite, and for other labels than the metric's. */
  set(value: number, labels: MetricLabels): void {
    if (!Number.isFinite(value)) throw new InputError('value', `${this.name} takes a finite number, got ${value}`);
    this.series.find(labels).value = value;
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
  }
}

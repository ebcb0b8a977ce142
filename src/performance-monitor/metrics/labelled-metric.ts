import {
  type ExposedSample,
  type MetricKind,
  type MetricOptions,
  type MetricSource,
  NO_LINE_LABELS,
} from './metric.ts';
import { SeriesIndex } from './series-index.ts';

/** The labels of a series, the monitor's own included. */
export interface LabelledSeries {
  readonly labels: Readonly<Record<string, string>>;
}

/** A series of one number. */
export interface NumberSeries extends LabelledSeries {
  value: number;
}

/** A metric with one series per label set. */
export abstract class LabelledMetric<Series extends LabelledSeries> implements MetricSource {
  abstract readonly kind: MetricKind;
  abstract readonly merge: MetricSource['merge'];
  readonly name: string;
  readonly exposedName: string;
  readonly help: string;
  readonly series: SeriesIndex<Series>;

  constructor({ name, exposedName, help, ownLabels, ...bounds }: MetricOptions, create: () => Omit<Series, 'labels'>) {
    this.name = name;
    this.exposedName = exposedName;
    this.help = help;
    this.series = new SeriesIndex<Series>({
      metric: name,
      ownLabels,
      ...bounds,
      create: (labels) => ({ labels: { ...ownLabels, ...labels }, ...create() }) as Series,
    });
  }

  get shape(): string {
    return '';
  }

  abstract samples(): readonly ExposedSample[];

  reset(): void {
    this.series.clear();
  }
}

export const samplesOf = (series: SeriesIndex<NumberSeries>): readonly ExposedSample[] =>
  Array.from(series, ({ labels, value }) => ({ labels: NO_LINE_LABELS, sharedLabels: labels, value }));

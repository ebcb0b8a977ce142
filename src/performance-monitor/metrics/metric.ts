/** The kinds of metric that this monitor keeps. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One line of the exposition. */
export interface ExposedSample {
  /** Name of the line where it is not the metric's, such as `wait_seconds_bucket`. */
  readonly metricName?: string;
  /** Labels of this line alone, such as `le`. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** The series' labels: always the same object, so that prom-client formats it once. */
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as a registry shows it; its samples are read at scrape time. */
export interface MetricSource {
  /** Name as exposed. */
  readonly exposedName: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** Sources of one name must agree on it: the bounds of a histogram. */
  readonly shape: string;
  /** How the same series of two sources become one line; `last` takes the younger source's. */
  readonly merge: 'sum' | 'last';
  samples(): readonly ExposedSample[];
  /** Forgets all values. */
  reset(): void;
}

/** Labels of a line that has none of its own. */
export const NO_LINE_LABELS: ExposedSample['labels'] = Object.freeze({});

/** The state of the monitor that recording depends on. */
export interface Recording {
  /** False before the start and after the end of recording. */
  readonly on: boolean;
  /** Counts until the next reading of the clock: counts move the window too, but need not read the time each. */
  countsUntilLook: number;
  /** Reads the clock and moves the window of reports. */
  look(): void;
}

/** The options of every metric of the monitor. */
export interface MetricOptions {
  /** Name as the caller knows it, without `_total`. */
  readonly name: string;
  readonly exposedName: string;
  readonly help: string;
  /** Labels of every series of the monitor. */
  readonly ownLabels: Readonly<Record<string, string>>;
  readonly maxSeries: number;
  onOverflow(): void;
}

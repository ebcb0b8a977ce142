import { InputError } from '../../errors/input-error.ts';
import type { Clock } from '../../internal/clock.ts';
import { describeValue } from '../../internal/options/option-checks.ts';
import { CounterMetric } from './counter-metric.ts';
import { GaugeMetric } from './gauge-metric.ts';
import { checkBuckets, defaultBuckets } from './histogram-buckets.ts';
import { HistogramMetric } from './histogram-metric.ts';
import type { MetricKind, MetricOptions, Recording } from './metric.ts';
import { checkLabelNames, type MetricLabels, OVERFLOW_VALUE } from './metric-labels.ts';
import { checkMetricName, counterName, counterStem, histogramName, underscored } from './metric-name.ts';

/** Options of a histogram. The first call that names it decides. */
export interface HistogramOptions {
  /**
   * Unit of the values, such as `ms`, `bytes` or `tokens`; it ends the exposed name. Milliseconds are exposed as
   * seconds.
   * @defaultValue none
   */
  readonly unit?: string | undefined;
  /** Upper bounds of the buckets in that unit, ascending, at most 100. @defaultValue bounds that suit the unit */
  readonly buckets?: readonly number[] | undefined;
}

export type MonitorMetric = CounterMetric | GaugeMetric | HistogramMetric;

export interface MetricStoreOptions {
  readonly prefix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly help: Readonly<Record<string, string>>;
  readonly maxMetrics: number;
  readonly maxSeries: number;
  /** Exposed names that are taken. */
  readonly reserved: readonly string[];
  readonly clock: Clock;
  readonly windowMs: number;
  /** Gets a new metric, and may refuse it by throwing. */
  onAdded(metric: MonitorMetric): void;
}

/** Owner of the names that the monitor itself uses. No other metric can have one of them. */
const RESERVED = "the monitor's own metrics";

/** Most spellings remembered for each metric; others are computed each time. */
const SPELLINGS = 4;

/** Slots of the window. The oldest is dropped as a whole. */
const SLOTS = 5;

const COUNTS_PER_LOOK = 256;

const helpKey = (name: string): string => counterStem(underscored(name));

const OVERFLOW_NAME = 'monitor_overflow';
const OVERFLOW_HELP = 'Observations beyond maxSeries or maxMetrics, by metric.';

/**
 * The monitor's metrics by name. The first use of a name fixes its kind, unit and buckets. Names that are exposed as
 * one are one metric: `api.requests`, `api_requests` and `api_requests_total`.
 */
export class MetricStore implements Recording {
  readonly #options: MetricStoreOptions;
  /** Under each spelling that was used, and the one without dots. */
  readonly #byName = new Map<string, MonitorMetric>();
  readonly #help: ReadonlyMap<string, string>;
  /** Every name that shows up in the exposition, with the metric that owns it. */
  readonly #exposed = new Map<string, string>();
  readonly #metrics: MonitorMetric[] = [];
  /** Counts values for a series `other` by metric, and values without a metric as metric `other`. */
  readonly #overflow: CounterMetric;

  on: boolean;
  countsUntilLook = COUNTS_PER_LOOK;
  #slotEndsAtMs: number;

  constructor(options: MetricStoreOptions, on: boolean, nowMs: number) {
    this.#options = options;
    this.on = on;
    this.#slotEndsAtMs = nowMs + options.windowMs / SLOTS;
    const { prefix, labels, help, maxMetrics, reserved } = options;
    this.#help = new Map(Object.entries(help).map(([name, text]) => [helpKey(name), text]));
    this.#overflow = new CounterMetric(
      {
        name: OVERFLOW_NAME,
        exposedName: prefix + counterName(OVERFLOW_NAME),
        help: OVERFLOW_HELP,
        ownLabels: labels,
        maxSeries: maxMetrics + 1,
        onOverflow: () => {},
      },
      options.clock.now(),
    );
    for (const name of [this.#overflow.exposedName, ...reserved]) this.#exposed.set(name, RESERVED);
  }

  /** Observations that went to a series `other`, or to no metric. */
  get overflows(): number {
    return this.#overflow.total;
  }

  get metrics(): readonly MonitorMetric[] {
    return this.#metrics;
  }

  /** The counter of that name; `undefined` when there are `maxMetrics` others. */
  counter(name: string, labels: MetricLabels): CounterMetric | undefined {
    const known = this.#byName.get(name) ?? this.#otherSpelling(name);
    if (known?.kind === 'counter') return known;
    if (known !== undefined) throw wrongKind(known, 'counter');
    return this.#add(
      name,
      labels,
      counterName(name),
      (options) => new CounterMetric(options, this.#options.clock.now()),
    );
  }

  gauge(name: string, labels: MetricLabels): GaugeMetric | undefined {
    const known = this.#byName.get(name) ?? this.#otherSpelling(name);
    if (known?.kind === 'gauge') return known;
    if (known !== undefined) throw wrongKind(known, 'gauge');
    return this.#add(name, labels, underscored(name), (options) => new GaugeMetric(options));
  }

  histogram(name: string, labels: MetricLabels, { unit, buckets }: HistogramOptions = {}): HistogramMetric | undefined {
    const known = this.#byName.get(name) ?? this.#otherSpelling(name);
    if (known?.kind === 'histogram') {
      if (unit !== undefined || buckets !== undefined) checkSame(known, unit, buckets);
      return known;
    }
    if (known !== undefined) throw wrongKind(known, 'histogram');
    if (unit !== undefined && !/^[a-z][a-z0-9_]{0,40}$/.test(unit)) {
      throw new InputError(
        'unit',
        `${name}: expected lower-case letters, digits and _, such as ms, got ${describeValue(unit)}`,
      );
    }
    if (buckets !== undefined) checkBuckets(name, buckets);
    const bounds = Object.freeze([...(buckets ?? defaultBuckets(unit))]);
    const metric = this.#add(
      name,
      labels,
      histogramName(name, unit),
      (options) => new HistogramMetric({ ...options, unit, buckets: bounds }, this.#options.clock.now()),
    );
    // `wait` in milliseconds and `wait_seconds` in seconds have one exposed name, and must not share values.
    if (metric !== undefined) checkSame(metric, unit, buckets);
    return metric;
  }

  look(): void {
    this.countsUntilLook = COUNTS_PER_LOOK;
    const nowMs = this.#options.clock.now();
    if (nowMs >= this.#slotEndsAtMs) this.moveWindow(nowMs);
  }

  /** Moves the window when the time of its newest slot is over. */
  moveWindow(nowMs: number): void {
    if (nowMs < this.#slotEndsAtMs) return;
    const { windowMs } = this.#options;
    this.#slotEndsAtMs = nowMs + windowMs / SLOTS;
    for (const metric of this.#metrics) {
      if (metric.kind === 'histogram') metric.window.advance(nowMs, windowMs);
      if (metric.kind === 'counter') metric.rate.advance(metric.total, nowMs, windowMs);
    }
  }

  #add<Metric extends MonitorMetric>(
    name: string,
    labels: MetricLabels,
    suffixed: string,
    make: (options: MetricOptions) => Metric,
  ): Metric | undefined {
    const { prefix, labels: ownLabels, maxMetrics, maxSeries, onAdded } = this.#options;
    checkLabelNames(name, labels, ownLabels);
    const exposedName = `${prefix}${suffixed}`;
    // prom-client 15.1 keeps metrics in a plain object, where these names are taken.
    if (exposedName in Object.prototype)
      throw new InputError('name', `${exposedName} is a name that prom-client cannot take. Choose another.`);
    const metric = make({
      name: counterStem(name),
      exposedName,
      help: this.#help.get(helpKey(name)) ?? `${name}, recorded by the performance monitor.`,
      ownLabels,
      maxSeries,
      onOverflow: () => this.#countOverflow(metric.name),
    });
    const twin = this.#twin(metric);
    if (twin !== undefined) {
      this.#remember(name, twin);
      return twin;
    }
    if (this.#metrics.length >= maxMetrics) {
      this.#countOverflow(OVERFLOW_VALUE);
      return undefined;
    }
    onAdded(metric);
    for (const line of exposedLines(metric)) this.#exposed.set(line, name);
    this.#byName.set(name, metric);
    this.#byName.set(underscored(name), metric);
    this.#metrics.push(metric);
    return metric;
  }

  /**
   * The metric that was first used with other dots and underscores.
   * @throws `DESCRIBE_INPUT_INVALID` for a wrong name.
   */
  #otherSpelling(name: string): MonitorMetric | undefined {
    checkMetricName(name);
    const known = this.#byName.get(underscored(name));
    if (known !== undefined) this.#remember(name, known);
    return known;
  }

  #remember(name: string, metric: MonitorMetric): void {
    if (this.#byName.size < SPELLINGS * this.#options.maxMetrics) this.#byName.set(name, metric);
  }

  #countOverflow(metric: string): void {
    if (this.#overflow.total === 0) this.#options.onAdded(this.#overflow);
    this.#overflow.increment({ metric }, 1);
  }

  /** The same metric under its other spelling (`calls` and `calls_total`). Throws for another metric of that name. */
  #twin<Metric extends MonitorMetric>(metric: Metric): Metric | undefined {
    for (const line of exposedLines(metric)) {
      const owner = this.#exposed.get(line);
      if (owner === undefined) continue;
      const known = this.#byName.get(owner);
      if (known?.exposedName === metric.exposedName && known.kind === metric.kind && known.shape === metric.shape) {
        return known as Metric;
      }
      throw new InputError('name', `${metric.name} and ${owner} would both be exposed as ${line}. Rename one.`);
    }
    return undefined;
  }
}

const exposedLines = ({ kind, exposedName }: MonitorMetric): readonly string[] =>
  kind === 'histogram'
    ? [exposedName, `${exposedName}_bucket`, `${exposedName}_sum`, `${exposedName}_count`]
    : [exposedName];

const wrongKind = ({ name, kind }: MonitorMetric, asked: MetricKind): InputError =>
  new InputError('name', `${name} is a ${kind} already, got it as a ${asked}. Choose another name.`);

function checkSame(known: HistogramMetric, unit: string | undefined, buckets: readonly number[] | undefined): void {
  if (unit !== undefined && unit !== known.unit) {
    throw new InputError('unit', `${known.name} is in ${known.unit ?? 'no unit'} already, got ${describeValue(unit)}`);
  }
  const same =
    buckets === undefined ||
    (buckets.length === known.buckets.length && buckets.every((bound, index) => bound === known.buckets[index]));
  if (!same)
    throw new InputError('buckets', `${known.name} has the buckets ${known.buckets.join(', ')} already, got others`);
}

import type { CounterMetric } from '../metrics/counter-metric.ts';
import type { GaugeMetric } from '../metrics/gauge-metric.ts';
import type { HistogramMetric } from '../metrics/histogram-metric.ts';
import { operationOf, underscored } from '../metrics/metric-name.ts';
import type { MonitorMetric } from '../metrics/metric-store.ts';

/** The values of one histogram in the last window, in its unit. */
export interface DistributionReport {
  readonly name: string;
  /** Absent when the histogram has none. */
  readonly unit?: string;
  readonly count: number;
  readonly perSecond: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Median; like p95 and p99 within 0.8 % of the exact value. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/**
 * A timed operation: a histogram in milliseconds called `<name>_duration`, with the counter `<name>_errors`. Named as
 * recorded.
 */
export interface OperationReport {
  readonly name: string;
  /** Calls in the last window, failed ones included. */
  readonly count: number;
  readonly perSecond: number;
  readonly errorCount: number;
  readonly errorRatio: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface CounterReport {
  readonly name: string;
  /** Sum of all series since the start. */
  readonly total: number;
  /** Growth in the last window, per second. */
  readonly perSecond: number;
}

export interface GaugeReport {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The part of a report that comes from the metrics. */
export interface MetricsReport {
  readonly operations: readonly OperationReport[];
  readonly distributions: readonly DistributionReport[];
  readonly counters: readonly CounterReport[];
  readonly gauges: readonly GaugeReport[];
}

/** Sums up the metrics, each kind in the order of first use. */
export function reportMetrics(metrics: readonly MonitorMetric[], nowMs: number): MetricsReport {
  const histograms = metrics.filter((metric): metric is HistogramMetric => metric.kind === 'histogram');
  const counters = metrics.filter((metric): metric is CounterMetric => metric.kind === 'counter');
  const gauges = metrics.filter((metric): metric is GaugeMetric => metric.kind === 'gauge');
  const errorCounters = new Map(counters.map((counter) => [underscored(counter.name), counter]));
  return {
    operations: histograms.filter(isOperation).map((histogram) => {
      const name = operationOf(histogram.name) ?? histogram.name;
      const errors = errorCounters.get(underscored(`${name}_errors`));
      const errorCount = errors?.rate.growthSince(errors.total, histogram.window.startedAtMs) ?? 0;
      return reportOperation(name, reportDistribution(histogram, nowMs), errorCount);
    }),
    distributions: histograms
      .filter((histogram) => !isOperation(histogram))
      .map((histogram) => reportDistribution(histogram, nowMs)),
    counters: counters.map(({ name, total, rate }) => ({
      name,
      total,
      perSecond: rate.perSecond(total, nowMs),
    })),
    gauges: gauges.flatMap(({ name, series }) => Array.from(series, ({ labels, value }) => ({ name, labels, value }))),
  };
}

const isOperation = ({ name, unit }: HistogramMetric): boolean => unit === 'ms' && operationOf(name) !== undefined;

function reportDistribution({ name, unit, window }: HistogramMetric, nowMs: number): DistributionReport {
  const sketch = window.read();
  const [p50 = 0, p95 = 0, p99 = 0] = sketch.quantiles([0.5, 0.95, 0.99]);
  const elapsedMs = nowMs - window.startedAtMs;
  const some = sketch.count > 0;
  return {
    name,
    ...(unit !== undefined && { unit }),
    count: sketch.count,
    perSecond: elapsedMs > 0 ? (sketch.count * 1000) / elapsedMs : 0,
    mean: some ? sketch.sum / sketch.count : 0,
    min: some ? sketch.min : 0,
    max: some ? sketch.max : 0,
    p50,
    p95,
    p99,
  };
}

function reportOperation(
  name: string,
  { count, perSecond, mean, min, max, p50, p95, p99 }: DistributionReport,
  errorCount: number,
): OperationReport {
  return {
    name,
    count,
    perSecond,
    errorCount,
    errorRatio: count > 0 ? Math.min(1, errorCount / count) : 0,
    meanMs: mean,
    minMs: min,
    maxMs: max,
    p50Ms: p50,
    p95Ms: p95,
    p99Ms: p99,
  };
}

import type { Clock } from '../internal/clock.ts';
import {
  boolean,
  integer,
  milliseconds,
  type OptionCheck,
  type OptionChecks,
  shape,
  textRecord,
  withMethods,
} from '../internal/options/option-checks.ts';
import { labelNameProblem } from './metrics/metric-labels.ts';
import { isMetricName, underscored } from './metrics/metric-name.ts';
import type { MonitorRegistry } from './metrics/registry-binding.ts';
import { ALERT_CHECKS, type AlertOptions } from './reports/health-checks.ts';

/** Where reports go: pino, and anything shaped like it. */
export interface MonitorLogger {
  info(details: object, message: string): void;
}

export interface PerformanceMonitorOptions {
  /** `false` records nothing, exposes nothing and starts no timer. @defaultValue true */
  readonly enabled?: boolean | undefined;
  /** A prom-client registry that shows these metrics among its own. @defaultValue one of the monitor's own */
  readonly registry?: MonitorRegistry | undefined;
  /** Start of every exposed name, dots as underscores; may be empty. @defaultValue 'describe_it_' */
  readonly prefix?: string | undefined;
  /** Labels of every series, such as `{ service: 'gallery' }`. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** HELP texts by metric name, dotted or not. @defaultValue a sentence made from the name */
  readonly help?: Readonly<Record<string, string>> | undefined;
  /** Series of one metric, at least 1; further label sets share one whose labels are all `other`. @defaultValue 500 */
  readonly maxSeries?: number | undefined;
  /** Metrics of one monitor, at least 1; what further names record is dropped and counted. @defaultValue 500 */
  readonly maxMetrics?: number | undefined;
  /** Timers started and not ended, at least 1; the oldest make room. @defaultValue 10000 */
  readonly maxPendingTimers?: number | undefined;
  /** How far reports, health and alerts look back, in milliseconds, at least 1000. @defaultValue 300000 */
  readonly windowMs?: number | undefined;
  /** Thresholds of `getHealthStatus` and `onAlert`. */
  readonly alerts?: AlertOptions | undefined;
  /** Time between two looks for alerts while somebody listens, in milliseconds, at least 100. @defaultValue 10000 */
  readonly alertIntervalMs?: number | undefined;
  /** Gets the reports of `startReporting`. @defaultValue silent */
  readonly logger?: MonitorLogger | undefined;
  /** Source of time. @defaultValue the system's */
  readonly clock?: Clock | undefined;
}

/** The options with their defaults. */
export function withDefaults({
  enabled = true,
  registry,
  prefix = 'describe_it_',
  labels = {},
  help = {},
  maxSeries = 500,
  maxMetrics = 500,
  maxPendingTimers = 10_000,
  windowMs = 300_000,
  alerts = {},
  alertIntervalMs = 10_000,
  logger,
}: PerformanceMonitorOptions) {
  return {
    enabled,
    registry,
    prefix: underscored(prefix),
    labels: Object.freeze({ ...labels }),
    help,
    maxSeries,
    maxMetrics,
    maxPendingTimers,
    windowMs,
    alerts,
    alertIntervalMs,
    logger,
  };
}

const metricPrefix: OptionCheck = (value, option) =>
  value === undefined || value === '' || isMetricName(value)
    ? []
    : [
        {
          option,
          expected: 'the start of a metric name (letters, digits, dots, _ and :)',
          got: JSON.stringify(value),
        },
      ];

const ownLabels: OptionCheck = (value, option) => {
  const issues = textRecord()(value, option);
  if (value === undefined || issues.length > 0) return issues;
  return Object.keys(value as object)
    .filter((name) => labelNameProblem(name) !== undefined)
    .map((name) => ({
      option: `${option}.${name}`,
      expected: 'a label name',
      got: `one that ${labelNameProblem(name)}`,
    }));
};

export const MONITOR_CHECKS: OptionChecks<PerformanceMonitorOptions> = {
  enabled: boolean(),
  registry: withMethods('a prom-client Registry', 'registerMetric', 'getSingleMetric', 'metrics'),
  prefix: metricPrefix,
  labels: ownLabels,
  help: textRecord(),
  maxSeries: integer({ min: 1 }),
  maxMetrics: integer({ min: 1 }),
  maxPendingTimers: integer({ min: 1 }),
  windowMs: milliseconds({ min: 1000 }),
  alerts: shape(ALERT_CHECKS),
  alertIntervalMs: milliseconds({ min: 100 }),
  logger: withMethods('a logger with info()', 'info'),
  clock: withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
};

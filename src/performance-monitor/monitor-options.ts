import type { Clock } from '../internal/clock.ts';
import {
  boolean,
  clockOption,
  describeValue,
  integer,
  milliseconds,
  type OptionCheck,
  type OptionChecks,
  shape,
  textRecord,
  withMethods,
} from '../internal/options/option-checks.ts';
import { fromVariable, withDefault } from '../internal/options/option-spec.ts';
import { labelNameProblem, MAX_LABELS } from './metrics/metric-labels.ts';
import { isMetricName } from './metrics/metric-name.ts';
import type { MonitorRegistry } from './metrics/registry-binding.ts';
import { ALERT_SPEC, type AlertOptions } from './reports/health-checks.ts';

/** A logger for reports; pino fits. */
export interface MonitorLogger {
  info(details: object, message: string): void;
}

export interface PerformanceMonitorOptions {
  /** `false` records nothing, exposes nothing and starts no timer. @defaultValue true */
  readonly enabled?: boolean | undefined;
  /** A prom-client registry that shows these metrics among its own. @defaultValue one of the monitor's own */
  readonly registry?: MonitorRegistry | undefined;
  /** Prefix of every exposed name, with dots as underscores; may be empty. @defaultValue 'describe_it_' */
  readonly prefix?: string | undefined;
  /** Labels of every series, such as `{ service: 'gallery' }`; at most 32. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** HELP texts by metric name, dotted or not. @defaultValue a sentence made from the name */
  readonly help?: Readonly<Record<string, string>> | undefined;
  /**
   * Most series of one metric, at least 1. Further label sets share one series whose labels are all `other`.
   * @defaultValue 500
   */
  readonly maxSeries?: number | undefined;
  /** Most metrics of one monitor, at least 1. Values for further names are dropped and counted. @defaultValue 500 */
  readonly maxMetrics?: number | undefined;
  /** Most running timers, at least 1. Beyond it, the oldest is evicted. @defaultValue 10000 */
  readonly maxPendingTimers?: number | undefined;
  /** How far reports, health and alerts look back, in milliseconds, at least 1000. @defaultValue 300000 */
  readonly windowMs?: number | undefined;
  /** Thresholds of `getHealthStatus` and `onAlert`. @defaultValue those of each check */
  readonly alerts?: AlertOptions | undefined;
  /** Interval of the checks for alerts while there is a listener, in milliseconds, at least 100. @defaultValue 10000 */
  readonly alertIntervalMs?: number | undefined;
  /** Gets the reports of `startReporting`. @defaultValue silent */
  readonly logger?: MonitorLogger | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

const metricPrefix: OptionCheck = (value, option) =>
  value === undefined || value === '' || isMetricName(value)
    ? []
    : [
        {
          option,
          expected: 'the start of a metric name (letters, digits, dots, _ and :)',
          got: describeValue(value),
        },
      ];

const ownLabels: OptionCheck = (value, option) => {
  const issues = textRecord()(value, option);
  if (value === undefined || issues.length > 0) return issues;
  const names = Object.keys(value as object);
  if (names.length > MAX_LABELS) return [{ option, expected: `at most ${MAX_LABELS} labels`, got: `${names.length}` }];
  return names
    .filter((name) => labelNameProblem(name) !== undefined)
    .map((name) => ({
      option: `${option}.${name}`,
      expected: 'a label name',
      got: `one that ${labelNameProblem(name)}`,
    }));
};

export const MONITOR_SPEC = {
  enabled: fromVariable('PERFORMANCE_MONITORING_ENABLED', withDefault(boolean(), true)),
  registry: withMethods('a prom-client Registry', 'registerMetric', 'getSingleMetric', 'metrics'),
  prefix: withDefault(metricPrefix, 'describe_it_'),
  labels: withDefault(ownLabels, {}),
  help: withDefault(textRecord(), {}),
  maxSeries: withDefault(integer({ min: 1 }), 500),
  maxMetrics: withDefault(integer({ min: 1 }), 500),
  maxPendingTimers: withDefault(integer({ min: 1 }), 10_000),
  windowMs: withDefault(milliseconds({ min: 1000 }), 300_000),
  alerts: withDefault(shape(ALERT_SPEC), {}),
  alertIntervalMs: withDefault(milliseconds({ min: 100 }), 10_000),
  logger: withMethods('a logger with info()', 'info'),
  clock: clockOption,
} satisfies OptionChecks<PerformanceMonitorOptions>;

import {
  finiteNumber,
  integer,
  milliseconds,
  type OptionCheck,
  type OptionChecks,
  ratio,
  shape,
  whichever,
} from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';
import type { SystemSnapshot } from '../system/system-metrics.ts';
import type { OperationReport } from './metrics-report.ts';

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** The value from which on a check is `degraded` (a bare number, or `warning`), and `unhealthy` (`critical`). */
export type AlertThreshold = number | { readonly warning?: number; readonly critical?: number };

/** Thresholds of the health checks and of `onAlert`; `false` turns a check off. */
export interface AlertOptions {
  /**
   * Delay of timers, `system.eventLoopDelayMs.sustained` of reports, in milliseconds.
   * @defaultValue warning 200, critical 1000
   */
  readonly eventLoopDelayMs?: AlertThreshold | false | undefined;
  /** Heap in use over its limit, 0 to 1. @defaultValue warning 0.85, critical 0.95 */
  readonly heapUsedRatio?: AlertThreshold | false | undefined;
  /** CPU time over elapsed time; 1 is one core. @defaultValue false */
  readonly cpuRatio?: AlertThreshold | false | undefined;
  /** Share of failed calls of the worst operation, 0 to 1. @defaultValue warning 0.25, critical 0.75 */
  readonly errorRatio?: AlertThreshold | false | undefined;
  /** 95th percentile of the slowest operation, in milliseconds. @defaultValue false */
  readonly latencyMs?: AlertThreshold | false | undefined;
  /** Least calls in the window for an operation to be judged. At least 1. @defaultValue 20 */
  readonly minimumCalls?: number | undefined;
}

export type HealthCheckName = 'eventLoopDelayMs' | 'heapUsedRatio' | 'cpuRatio' | 'errorRatio' | 'latencyMs';

/** The result of one check. */
export interface HealthCheck {
  readonly status: HealthStatus;
  readonly value: number;
  readonly warning?: number;
  readonly critical?: number;
  /** The operation that the value comes from; absent for checks of the process. */
  readonly operation?: string;
}

/** All checks, and the worst of their statuses. */
export interface PerformanceHealth {
  readonly status: HealthStatus;
  readonly checks: Readonly<Partial<Record<HealthCheckName, HealthCheck>>>;
}

const threshold = (value: OptionCheck): OptionCheck =>
  whichever(
    [
      [(given) => given === false, () => []],
      [(given) => typeof given === 'object' && given !== null, shape({ warning: value, critical: value })],
    ],
    value,
  );

export const ALERT_SPEC = {
  eventLoopDelayMs: withDefault(threshold(milliseconds()), { warning: 200, critical: 1000 }),
  heapUsedRatio: withDefault(threshold(ratio()), { warning: 0.85, critical: 0.95 }),
  cpuRatio: withDefault(threshold(finiteNumber({ min: 0 })), false),
  errorRatio: withDefault(threshold(ratio()), { warning: 0.25, critical: 0.75 }),
  latencyMs: withDefault(threshold(milliseconds()), false),
  minimumCalls: withDefault(integer({ min: 1 }), 20),
} satisfies OptionChecks<AlertOptions>;

/** The thresholds with their defaults. */
export type AlertSettings = Settings<AlertOptions, typeof ALERT_SPEC>;

/** Runs the checks. Checks that are turned off are absent. */
export function runHealthChecks(
  settings: AlertSettings,
  system: SystemSnapshot,
  operations: readonly OperationReport[],
): PerformanceHealth {
  const { minimumCalls } = settings;
  const judged = operations.filter(({ count }) => count >= minimumCalls);
  const worst = (of: (operation: OperationReport) => number): Measured =>
    judged.reduce<Measured>(
      (found, operation) => (of(operation) > found.value ? { value: of(operation), operation: operation.name } : found),
      { value: 0 },
    );
  const measured: Readonly<Record<HealthCheckName, Measured>> = {
    eventLoopDelayMs: { value: system.eventLoopDelayMs.sustained },
    heapUsedRatio: { value: system.memory.heapUsedBytes / system.memory.heapLimitBytes },
    cpuRatio: { value: system.cpuRatio },
    errorRatio: worst(({ errorRatio }) => errorRatio),
    latencyMs: worst(({ p95Ms }) => p95Ms),
  };
  const checks: Partial<Record<HealthCheckName, HealthCheck>> = {};
  for (const name of Object.keys(measured) as HealthCheckName[]) {
    const limits = settings[name];
    if (limits !== false) checks[name] = judge(measured[name], limits);
  }
  return { status: worstStatus(Object.values(checks).map(({ status }) => status)), checks };
}

interface Measured {
  readonly value: number;
  readonly operation?: string;
}

function judge(measured: Measured, limits: AlertThreshold): HealthCheck {
  const { warning, critical } = typeof limits === 'number' ? { warning: limits, critical: undefined } : limits;
  const over = (limit: number | undefined) => limit !== undefined && measured.value >= limit;
  const status = over(critical) ? 'unhealthy' : over(warning) ? 'degraded' : 'healthy';
  return {
    status,
    ...measured,
    ...(warning !== undefined && { warning }),
    ...(critical !== undefined && { critical }),
  };
}

function worstStatus(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('unhealthy')) return 'unhealthy';
  return statuses.includes('degraded') ? 'degraded' : 'healthy';
}

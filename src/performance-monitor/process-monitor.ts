import { bindMethods } from '../internal/bind-methods.ts';
import { processSingleton } from '../internal/modules/process-singleton.ts';
import { readEnvironment } from '../internal/options/environment.ts';
import { milliseconds } from '../internal/options/option-checks.ts';
import { fromVariable } from '../internal/options/option-spec.ts';
import { MONITOR_SPEC, type MonitorLogger } from './monitor-options.ts';
import { PerformanceMonitor } from './performance-monitor.ts';

export interface ProcessMonitorOptions {
  /** Gets the reports; only the call that makes the monitor decides. @defaultValue console */
  readonly logger?: MonitorLogger;
}

/** The environment variables of the monitor of a process. */
export const PROCESS_MONITOR_SPEC = {
  enabled: MONITOR_SPEC.enabled,
  reportIntervalMs: fromVariable('PERFORMANCE_REPORT_INTERVAL', milliseconds()),
};

/**
 * The monitor of this process, made by the first call. It records unless `PERFORMANCE_MONITORING_ENABLED` is false.
 * `PERFORMANCE_REPORT_INTERVAL` makes it report to `logger.info`, each time after that many milliseconds.
 * @throws `DESCRIBE_CONFIG_INVALID` when one of the two does not parse.
 *
 * @example
 * ```ts
 * import { getPerformanceMonitor } from '@describe-it/sdk/performance-monitor';
 *
 * getPerformanceMonitor().incrementCounter('uploads');
 * ```
 */
export function getPerformanceMonitor({ logger = console }: ProcessMonitorOptions = {}): PerformanceMonitor {
  return processSingleton('performance-monitor', () => {
    const given = readEnvironment<{ enabled?: boolean; reportIntervalMs?: number }>(PROCESS_MONITOR_SPEC);
    const { enabled = true, reportIntervalMs } = given;
    const monitor = bindMethods(new PerformanceMonitor({ enabled, logger }));
    if (enabled && reportIntervalMs !== undefined) monitor.startReporting(reportIntervalMs);
    return monitor;
  });
}

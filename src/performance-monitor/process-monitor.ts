import { ConfigError } from '../errors/config-error.ts';
import { bindMethods } from '../internal/bind-methods.ts';
import { processSingleton } from '../internal/modules/process-singleton.ts';
import { parseEnvironment } from '../internal/options/environment.ts';
import type { MonitorLogger } from './monitor-options.ts';
import { PerformanceMonitor } from './performance-monitor.ts';

const VARIABLES: readonly string[] = ['PERFORMANCE_MONITORING_ENABLED', 'PERFORMANCE_REPORT_INTERVAL'];

export interface ProcessMonitorOptions {
  /** Gets the reports; only the call that makes the monitor decides. @defaultValue console */
  readonly logger?: MonitorLogger;
}

/**
 * The monitor of this process, made by the first call: records unless `PERFORMANCE_MONITORING_ENABLED` is false, and
 * reports every `PERFORMANCE_REPORT_INTERVAL` milliseconds to `logger.info` when that is set.
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
    const { settings, issues } = parseEnvironment(process.env);
    const ours = issues.filter(({ option }) => VARIABLES.includes(option));
    if (ours.length > 0) throw new ConfigError('environment', ours);
    const { performanceMonitoringEnabled: enabled = true, performanceReportIntervalMs } = settings;
    const monitor = bindMethods(new PerformanceMonitor({ enabled, logger }));
    if (enabled && performanceReportIntervalMs !== undefined) monitor.startReporting(performanceReportIntervalMs);
    return monitor;
  });
}

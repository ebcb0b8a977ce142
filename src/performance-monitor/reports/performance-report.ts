import type { SystemSnapshot } from '../system/system-metrics.ts';
import type { PerformanceHealth } from './health-checks.ts';
import type { MetricsReport } from './metrics-report.ts';

/** Counts of the monitor's own state, and of the observations that it could not keep. */
export interface PerformanceMonitorStats {
  readonly metrics: number;
  readonly series: number;
  /** Observations beyond `maxSeries` or `maxMetrics`. They went to a series `other`, or were dropped. */
  readonly overflows: number;
  readonly pendingTimers: number;
  /** Timers that never ended and were evicted. */
  readonly droppedTimers: number;
}

/** The state of the monitored code and of the process; JSON-safe. */
export interface PerformanceReport extends MetricsReport {
  /** Since the Unix epoch. */
  readonly generatedAtMs: number;
  /** Milliseconds since the monitor was made. */
  readonly uptimeMs: number;
  /** Longest time that operations, distributions and rates cover. */
  readonly windowMs: number;
  readonly health: PerformanceHealth;
  readonly system: SystemSnapshot;
  readonly monitor: PerformanceMonitorStats;
}

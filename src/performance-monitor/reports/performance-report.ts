import type { SystemSnapshot } from '../system/system-metrics.ts';
import type { PerformanceHealth } from './health-checks.ts';
import type { MetricsReport } from './metrics-report.ts';

/** Counts of the monitor's own state, and of the observations that it could not keep. */
export interface PerformanceMonitorStats {
  readonly metrics: number;
  readonly series: number;
  /** Observations beyond `maxSeries` or `maxMetrics`, which went to a series `other` or to no metric. */
  readonly overflows: number;
  readonly pendingTimers: number;
  /** Timers that never ended and were evicted. */
  readonly droppedTimers: number;
}

/** How the monitored code and the process do; JSON-safe. */
export interface PerformanceReport extends MetricsReport {
  /** Since the Unix epoch. */
  readonly generatedAtMs: number;
  /** Since the monitor was made. */
  readonly uptimeMs: number;
  /** How far operations, distributions and rates look back, at most. */
  readonly windowMs: number;
  readonly health: PerformanceHealth;
  readonly system: SystemSnapshot;
  readonly monitor: PerformanceMonitorStats;
}

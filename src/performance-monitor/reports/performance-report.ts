import type { SystemSnapshot } from '../system/system-metrics.ts';
import type { PerformanceHealth } from './health-checks.ts';
import type { MetricsReport } from './metrics-report.ts';

/** What the monitor itself holds, and what it had to turn away. */
export interface PerformanceMonitorStats {
  readonly metrics: number;
  readonly series: number;
  /** Observations that went to a series `other`, or to no metric, for lack of room. */
  readonly overflows: number;
  readonly pendingTimers: number;
  /** Timers that never ended and made room for others. */
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

export {
  createFetchHandlers,
  createNodeHandlers,
  type FetchHandler,
  type MonitoringPorts,
  type NodeHandler,
  type NodeRequest,
  type NodeResponse,
} from './handlers/monitoring-handlers.ts';
export {
  createPerformanceMiddleware,
  type MonitoredRequest,
  type MonitoredResponse,
  type PerformanceMiddleware,
  type PerformanceMiddlewareOptions,
} from './handlers/performance-middleware.ts';
export type { RoutedRequest } from './handlers/route-label.ts';
export type { BoundCounter } from './metrics/counter-metric.ts';
export type { BoundHistogram } from './metrics/histogram-metric.ts';
export type { MetricLabels } from './metrics/metric-labels.ts';
export type { HistogramOptions } from './metrics/metric-store.ts';
export type { TimerId } from './metrics/operation-timers.ts';
export type { MonitorRegistry } from './metrics/registry-binding.ts';
export type { MonitorLogger, PerformanceMonitorOptions } from './monitor-options.ts';
export { PerformanceMonitor } from './performance-monitor.ts';
export { getPerformanceMonitor, type ProcessMonitorOptions } from './process-monitor.ts';
export type { PerformanceAlert } from './reports/alert-watch.ts';
export type {
  AlertOptions,
  AlertThreshold,
  HealthCheck,
  HealthCheckName,
  HealthStatus,
  PerformanceHealth,
} from './reports/health-checks.ts';
export type {
  CounterReport,
  DistributionReport,
  GaugeReport,
  MetricsReport,
  OperationReport,
} from './reports/metrics-report.ts';
export type { PerformanceMonitorStats, PerformanceReport } from './reports/performance-report.ts';
export type { SystemSnapshot } from './system/system-metrics.ts';

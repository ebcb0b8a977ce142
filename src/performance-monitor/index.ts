export type { PerformanceAlert } from './alert-watch.ts';
export type {
  AlertOptions,
  AlertThreshold,
  HealthCheck,
  HealthCheckName,
  HealthStatus,
  PerformanceHealth,
} from './health-checks.ts';
export type { MetricLabels } from './metric-labels.ts';
export type { HistogramOptions } from './metric-store.ts';
export type {
  CounterReport,
  DistributionReport,
  GaugeReport,
  MetricsReport,
  OperationReport,
} from './metrics-report.ts';
export type { MonitorLogger, PerformanceMonitorOptions } from './monitor-options.ts';
export {
  createFetchHandlers,
  createNodeHandlers,
  type FetchHandler,
  type MonitoringPorts,
  type NodeHandler,
  type NodeRequest,
  type NodeResponse,
} from './monitoring-handlers.ts';
export type { TimerId } from './operation-timers.ts';
export {
  createPerformanceMiddleware,
  type MonitoredRequest,
  type MonitoredResponse,
  type PerformanceMiddleware,
  type PerformanceMiddlewareOptions,
} from './performance-middleware.ts';
export { PerformanceMonitor } from './performance-monitor.ts';
export type { PerformanceMonitorStats, PerformanceReport } from './performance-report.ts';
export { getPerformanceMonitor, type ProcessMonitorOptions } from './process-monitor.ts';
export type { MonitorRegistry } from './registry-binding.ts';
export type { RoutedRequest } from './route-label.ts';
export type { SystemSnapshot } from './system-metrics.ts';

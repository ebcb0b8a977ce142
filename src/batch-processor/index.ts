export type { BatchHandler, BatchHandlerContext } from './batch-handler.ts';
export type { BatchMetrics } from './batch-metrics.ts';
export { BatchProcessor, type ProcessOptions } from './batch-processor.ts';
export type { BatchProcessorOptions } from './batch-processor-options.ts';
export type { BatchRetryOptions } from './batch-retry.ts';
export type { DistributionSnapshot } from './distribution.ts';

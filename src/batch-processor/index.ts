export type { AddressGuardOptions } from '../http/address-guard.ts';
export type { BatchHandler, BatchHandlerContext, BatchResult } from './batch-handler.ts';
export type { BatchMetrics } from './batch-metrics.ts';
export { BatchProcessor, type ProcessOptions } from './batch-processor.ts';
export type { BatchProcessorOptions } from './batch-processor-options.ts';
export type { BatchRetryOptions } from './batch-retry.ts';
export type { DistributionSnapshot } from './distribution.ts';
export {
  type VisionDescriptionBatchOptions,
  VisionDescriptionBatchProcessor,
} from './vision-description-batch-processor.ts';
export type { VisionFault } from './vision-fault.ts';
export type { VisionParameters } from './vision-parameters.ts';
export type { VisionDescription, VisionRequest, VisionSchema } from './vision-request.ts';
export type {
  VisionChatCompletion,
  VisionChatRequest,
  VisionClient,
  VisionLease,
  VisionPool,
  VisionSendContext,
  VisionSender,
  VisionTarget,
} from './vision-target.ts';
export type { VisionUsage } from './vision-usage.ts';

export type { AddressGuardOptions } from '../http/guard/address-guard.ts';
export { BatchProcessor, type ProcessOptions } from './batch-processor.ts';
export type { BatchProcessorOptions } from './batch-processor-options.ts';
export type { VisionFault } from './packs/vision-fault.ts';
export type { VisionDescription, VisionParameters, VisionRequest, VisionSchema } from './packs/vision-request.ts';
export type {
  VisionChatCompletion,
  VisionChatRequest,
  VisionClient,
  VisionLease,
  VisionPool,
  VisionSendContext,
  VisionSender,
  VisionTarget,
} from './packs/vision-target.ts';
export type { VisionUsage } from './packs/vision-usage.ts';
export type { BatchHandler, BatchHandlerContext, BatchResult } from './queue/batch-handler.ts';
export type { BatchMetrics } from './queue/batch-metrics.ts';
export type { BatchRetryOptions } from './queue/batch-retry.ts';
export type { DistributionSnapshot } from './queue/distribution.ts';
export {
  type VisionDescriptionBatchOptions,
  VisionDescriptionBatchProcessor,
} from './vision-description-batch-processor.ts';

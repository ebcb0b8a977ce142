export type { ExtraBody } from '../internal/extra-body.ts';
export type { ReasoningEffort } from '../internal/reasoning-effort.ts';
export type { Dialect } from '../openai/request-dialect.ts';
export type { AdmissionStats } from './admission.ts';
export type { AttemptBreaker } from './breaker-group.ts';
export type { CallStats } from './call-register.ts';
export type { ClientHealth, HealthState, PartHealth } from './client-health.ts';
export type { BatchOptions, DescribeClientOptions } from './client-options.ts';
export { createDescribeClient } from './create-describe-client.ts';
export { type ClientStats, DescribeClient } from './describe-client.ts';
export type { DescribeManyItem, DescribeManyOptions } from './describe-many.ts';
export type {
  CacheMode,
  DescribeInput,
  DescribeOptions,
  DescribeRequest,
  DescribeSchema,
  ImageBytes,
  StructuredOptions,
  StructuredRequest,
} from './describe-request.ts';
export type {
  AttemptRecord,
  CallExplanation,
  DescribeResult,
  DescriptionSource,
  StructuredResult,
} from './describe-result.ts';
export type { EndpointDescription, EndpointOptions, QuotaLimitOptions } from './endpoint-options.ts';
export type { EstimateOptions } from './estimate-calls.ts';
export type { FallbackAnswer, FallbackFunction, FallbackRequest, FallbackStep } from './fallback-option.ts';
export type { ClientImageOptions } from './image-intake.ts';
export type { ClientLimitOptions } from './limit-options.ts';
export type { Logger } from './logger.ts';
export type {
  ClientWarmFailure,
  ClientWarmOptions,
  ClientWarmProgress,
  ClientWarmResult,
} from './warm-cache.ts';

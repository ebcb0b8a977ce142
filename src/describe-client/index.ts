export type { ExtraBody } from '../internal/options/extra-body.ts';
export type { ReasoningEffort } from '../internal/options/reasoning-effort.ts';
export type { ApiForm } from '../openai/exchange/exchange.ts';
export type { Dialect } from '../openai/exchange/request-dialect.ts';
export type { DescribeManyProgress } from './bulk/bulk-progress.ts';
export type { DescribeManyItem, DescribeManyOptions } from './bulk/describe-many.ts';
export type { EstimateOptions } from './bulk/estimate-calls.ts';
export type {
  ClientWarmFailure,
  ClientWarmOptions,
  ClientWarmProgress,
  ClientWarmResult,
} from './bulk/warm-cache.ts';
export type { AdmissionStats } from './call/admission.ts';
export type { CallStats } from './call/call-register.ts';
export type {
  AttemptRecord,
  CallExplanation,
  DescribeResult,
  DescriptionSource,
  StructuredResult,
} from './call/describe-result.ts';
export type { DescriptionStream } from './call/description-stream.ts';
export type { ClientStats } from './client-stats.ts';
export { createDescribeClient } from './create-describe-client.ts';
export { DescribeClient } from './describe-client.ts';
export { getDescribeClient } from './get-describe-client.ts';
export type { ClientImageOptions } from './options/client-image-options.ts';
export type { Logger } from './options/client-logger.ts';
export type { DescribeClientOptions } from './options/client-options.ts';
export type {
  CacheMode,
  DescribeInput,
  DescribeOptions,
  DescribeRequest,
  ImageBytes,
  StructuredOptions,
  StructuredRequest,
} from './options/describe-request.ts';
export type { EndpointDescription, EndpointOptions, QuotaLimitOptions } from './options/endpoint-options.ts';
export type {
  FallbackAnswer,
  FallbackFunction,
  FallbackRequest,
  FallbackStep,
} from './options/fallback-option.ts';
export type { ClientLimitOptions } from './options/limit-options.ts';
export type { AttemptBreaker, BatchOptions } from './options/part-options.ts';
export type { TenantOptions, TenantsOptions } from './options/tenant-options.ts';
export type { ClientHealth, HealthState, PartHealth } from './reports/client-health.ts';
export type { DescribeSchema, SchemaSource } from './schema/schema-source.ts';
export type { TenantStats, TenantsStats } from './tenants/tenant-registry.ts';

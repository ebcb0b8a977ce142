export { type EncodeOptions, encodeBase64 } from '../http/encode-base64.ts';
export { InlineBytes } from '../http/encode-json.ts';
export type { TlsOptions } from '../http/tls-options.ts';
export type {
  AcquireOptions,
  DrainOptions,
  ResourcePoolEvents,
  ResourcePoolState,
} from '../resource-pool/index.ts';
export type { ApiKey } from './api-key.ts';
export type { OpenAIConnectionLease, OpenAIConnectionLender } from './connection-lease.ts';
export { type ApiUsage, type CostOptions, costUsd, type TokenUsage, tokenUsage } from './cost.ts';
export { type EncodedRequest, encodeRequest } from './encode-request.ts';
export {
  type CallEstimate,
  estimateCall,
  estimateSpending,
  type PaceLimits,
  type PlannedCall,
  type SpendingEstimate,
} from './estimate.ts';
export {
  estimateImageTokens,
  type ImageSize,
  type ImageTokensRequest,
  mostImageTokens,
} from './image-tokens.ts';
export {
  createModelCatalog,
  type ModelCatalog,
  type ModelOverrides,
  modelCatalog,
  REQUEST_LIMITS,
} from './model-catalog.ts';
export type {
  ImageDetail,
  ImageSizing,
  ModelEntry,
  ModelLimits,
  ModelPrice,
  PatchLimits,
  PatchSizing,
  Provenance,
  TileSizing,
} from './model-entry.ts';
export { OpenAIConnectionPool } from './openai-connection-pool.ts';
export type { OpenAIConnectionPoolOptions } from './openai-pool-options.ts';
export type { OpenAIConnectionPoolStats, OpenAIPoolHealth } from './openai-pool-stats.ts';
export { PoolManager, type PoolManagerOptions, type PoolManagerStats, poolManager } from './pool-manager.ts';
export { estimateTextTokens } from './text-tokens.ts';

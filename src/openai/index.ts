export type { TlsOptions } from '../http/connection/tls-options.ts';
export type { TransportOptions } from '../http/connection/transport-options.ts';
export { type EncodeOptions, encodeBase64 } from '../http/encoding/encode-base64.ts';
export { InlineBytes } from '../http/encoding/encode-json.ts';
export type {
  AcquireOptions,
  DrainOptions,
  PermitShare,
  PermitUser,
  ResourcePoolEvents,
  ResourcePoolState,
  SlotPermits,
} from '../resource-pool/index.ts';
export { type EncodedRequest, encodeRequest } from './exchange/encode-request.ts';
export { estimateTextTokens } from './models/call-estimate.ts';
export { type ApiUsage, type CostOptions, costUsd, type TokenUsage, tokenUsage } from './models/cost.ts';
export {
  type CallEstimate,
  estimateCall,
  estimateSpending,
  type PaceLimits,
  type PlannedCall,
  type SpendingEstimate,
} from './models/estimate.ts';
export {
  estimateImageTokens,
  type ImageSize,
  type ImageTokensRequest,
  mostImageTokens,
} from './models/image-tokens.ts';
export {
  createModelCatalog,
  type ModelCatalog,
  type ModelOverrides,
  modelCatalog,
  REQUEST_LIMITS,
} from './models/model-catalog.ts';
export type {
  ImageDetail,
  ImageSizing,
  ModelEntry,
  ModelLimits,
  ModelPrice,
  PatchLimits,
  PatchSizing,
  Provenance,
  TemperatureSupport,
  TileSizing,
} from './models/model-entry.ts';
export type { ApiKey } from './pool/api-key.ts';
export type { OpenAIConnectionLease, OpenAIConnectionLender } from './pool/connection-lease.ts';
export { OpenAIConnectionPool } from './pool/openai-connection-pool.ts';
export type { OpenAIConnectionPoolOptions } from './pool/openai-pool-options.ts';
export type { OpenAIConnectionPoolStats, OpenAIPoolHealth } from './pool/openai-pool-stats.ts';
export {
  PoolManager,
  type PoolManagerOptions,
  type PoolManagerStats,
  poolManager,
} from './pool/pool-manager.ts';

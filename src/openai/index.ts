export { type EncodeOptions, encodeBase64 } from '../http/encode-base64.ts';
export { InlineBytes } from '../http/encode-json.ts';
export type { TlsOptions } from '../http/tls-options.ts';
export type {
  AcquireOptions,
  DrainOptions,
  ResourcePoolEvents,
  ResourcePoolState,
} from '../resource-pool/index.ts';
export type { OpenAIConnectionLease } from './connection-lease.ts';
export { type EncodedRequest, encodeRequest } from './encode-request.ts';
export {
  OpenAIConnectionPool,
  type OpenAIConnectionPoolStats,
  type OpenAIPoolHealth,
} from './openai-connection-pool.ts';
export type { OpenAIConnectionPoolOptions } from './openai-pool-options.ts';
export { PoolManager, type PoolManagerOptions, type PoolManagerStats, poolManager } from './pool-manager.ts';

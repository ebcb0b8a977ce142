export type { TlsOptions } from '../http/connection/tls-options.ts';
export {
  HttpClient,
  type HttpMethod,
  type HttpRequestOptions,
} from '../http/http-client.ts';
export { type HttpReply, HttpStatusError } from '../http/http-reply.ts';
export type { AcquireOptions } from './acquire-options.ts';
export { createResourcePool } from './create-resource-pool.ts';
export type { DrainOptions } from './drain-wait.ts';
export {
  HttpClientFactory,
  type HttpClientFactoryOptions,
  PooledHttpClient,
} from './http-client-factory.ts';
export type { Lease } from './lease.ts';
export type { CreateContext, ResourceFactory, ValidateContext } from './resource-factory.ts';
export { ResourcePool } from './resource-pool.ts';
export type { ResourcePoolEvents } from './resource-pool-events.ts';
export type { CreateBackoffOptions, ResourcePoolOptions } from './resource-pool-options.ts';
export type { GrowReason, ResourcePoolState, ResourcePoolStats, RetireReason } from './resource-pool-stats.ts';

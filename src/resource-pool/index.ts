export type { TlsOptions } from '../http/connection/tls-options.ts';
export type { TransportOptions } from '../http/connection/transport-options.ts';
export {
  HttpClient,
  type HttpMethod,
  type HttpRequestOptions,
} from '../http/http-client.ts';
export { type HttpReply, HttpStatusError } from '../http/http-reply.ts';
export { createResourcePool } from './create-resource-pool.ts';
export type { DrainOptions } from './drain-wait.ts';
export {
  HttpClientFactory,
  type HttpClientFactoryOptions,
  PooledHttpClient,
} from './http-client-factory.ts';
export type { Lease } from './lease.ts';
export type { AcquireOptions } from './options/acquire-options.ts';
export type { CreateContext, ResourceFactory, ValidateContext } from './options/resource-factory.ts';
export type { CreateBackoffOptions, ResourcePoolOptions } from './options/resource-pool-options.ts';
export type { PermitShare, PermitUser, SlotPermits } from './options/slot-permits.ts';
export type { ResourcePoolEvents } from './reports/resource-pool-events.ts';
export type { GrowReason, ResourcePoolState, ResourcePoolStats, RetireReason } from './reports/resource-pool-stats.ts';
export { ResourcePool } from './resource-pool.ts';

export {
  type FlightContext,
  type FlightOptions,
  type FlightResult,
  SingleFlight,
} from '../internal/async/single-flight.ts';
export type { MemoryTierSettings, RedisCacheOptions } from './cache-options.ts';
export type {
  RedisCacheHealth,
  RedisCacheStats,
  RedisCacheStatus,
  RedisHealth,
} from './cache-stats.ts';
export {
  type CacheWarmer,
  createCacheWarmer,
  type WarmFailure,
  type WarmFetcher,
  type WarmOptions,
  type WarmProgress,
  type WarmResult,
} from './cache-warmer.ts';
export { generateKey } from './entries/cache-key.ts';
export { type CacheCodec, jsonCodec } from './entries/encode-entry.ts';
export { generateImageHash } from './entries/image-hash.ts';
export type { CacheFactory, CacheFactoryContext, ReplacedValue } from './filling/factory-context.ts';
export type { CacheHit, CacheSource, GetOrSetOptions } from './filling/get-or-set-options.ts';
export { getCache } from './get-cache.ts';
export { createKeyvStore, type KeyvStore, type KeyvStoreEntry } from './keyv-store.ts';
export type { RedisClientLike, RedisPipelineLike } from './redis/redis-client.ts';
export type { RedisConnectionState } from './redis/redis-connection.ts';
export type { RedisFailureReason, RedisGatewayStats } from './redis/redis-gateway.ts';
export type { RedisAddress, RedisTargetOptions } from './redis/redis-target.ts';
export { RedisCache } from './redis-cache.ts';
export { type RedisScript, redisScriptOf } from './redis-script.ts';
export type { CacheCounters } from './tiers/cache-counters.ts';
export type { RedisCacheEvents } from './tiers/cache-events.ts';
export type { CacheLogger } from './tiers/cache-settings.ts';
export type { MsetEntry, SetOptions } from './tiers/setter.ts';
export type { ReadOptions } from './tiers/tiered-reader.ts';

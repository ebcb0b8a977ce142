export { type RedisScript, redisScriptOf } from './atomic-script.ts';
export type { CacheCounters } from './cache-counters.ts';
export type { RedisCacheEvents } from './cache-events.ts';
export { generateKey } from './cache-key.ts';
export type { CacheLogger } from './cache-logger.ts';
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
export { type CacheCodec, jsonCodec } from './codec.ts';
export type { CacheFactory } from './filler.ts';
export { getCache } from './get-cache.ts';
export type { CacheHit, CacheSource, GetOrSetOptions } from './getter.ts';
export { generateImageHash } from './image-hash.ts';
export { createKeyvStore, type KeyvStore, type KeyvStoreEntry } from './keyv-store.ts';
export { type ReadOptions, RedisCache } from './redis-cache.ts';
export type { RedisClientLike, RedisPipelineLike } from './redis-client.ts';
export type { RedisConnectionState } from './redis-connection.ts';
export type { RedisFailureReason, RedisGatewayStats } from './redis-gateway.ts';
export type { RedisAddress, RedisTargetOptions } from './redis-target.ts';
export type { MsetEntry, SetOptions } from './setter.ts';
export {
  type FlightContext,
  type FlightOptions,
  type FlightResult,
  SingleFlight,
} from './single-flight.ts';

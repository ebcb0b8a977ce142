import type { CacheCounters } from './cache-counters.ts';
import type { ResolvedCacheOptions } from './cache-options.ts';
import type { RedisConnectionState } from './redis-connection.ts';
import type { RedisGatewayStats } from './redis-gateway.ts';
import type { RedisLink } from './redis-link.ts';
import type { Tiers } from './tiers.ts';

/** How well a cache is: degraded works without Redis for now, unhealthy has done so for more than `maxRetries` reconnects. */
export type RedisCacheStatus = 'healthy' | 'degraded' | 'unhealthy';

export interface RedisCacheHealth {
  readonly status: RedisCacheStatus;
  readonly memory: { readonly entries: number; readonly bytes: number };
  /** Absent where nothing names Redis. */
  readonly redis?: RedisHealth;
}

export interface RedisHealth {
  readonly state: RedisConnectionState;
  readonly circuit: 'closed' | 'open' | 'half-open';
  /** Whether messages of other processes arrive. */
  readonly subscribed: boolean;
  readonly failedReconnects: number;
  /** Invalidations that Redis still has to be told. */
  readonly pendingInvalidations: number;
  /** Kind of the last connection error, such as `ECONNREFUSED` or `WRONGPASS`. */
  readonly lastError?: string;
}

/** A frozen snapshot of what a cache has done. */
export interface RedisCacheStats extends Readonly<CacheCounters> {
  /** Hits of any kind, shared and stale ones too. */
  readonly hits: number;
  /** Hits by hits and misses; 0 before the first. */
  readonly hitRatio: number;
  readonly memory: {
    readonly entries: number;
    readonly bytes: number;
    readonly evictions: number;
    /** Tags whose version this process remembers. */
    readonly tags: number;
  };
  /** Absent where nothing names Redis. */
  readonly redis?: RedisGatewayStats & {
    readonly pendingInvalidations: number;
    readonly pendingOverflows: number;
  };
}

export function healthOf(tiers: Tiers): RedisCacheHealth {
  const { memory, namedLink: link } = tiers;
  const held = Object.freeze({ entries: memory.entries, bytes: memory.bytes });
  if (link === undefined) return Object.freeze({ status: 'healthy', memory: held });
  const { lastError, state, subscribed, failedAttempts } = link.connection;
  const redis: RedisHealth = Object.freeze({
    state,
    circuit: link.gateway.circuit,
    subscribed,
    failedReconnects: failedAttempts,
    pendingInvalidations: link.outage.size,
    ...(lastError === undefined || state === 'ready' ? {} : { lastError }),
  });
  return Object.freeze({ status: statusOf(link, tiers.options), memory: held, redis });
}

function statusOf(
  { connection, gateway }: RedisLink,
  { maxRetries, onDriverMissing }: ResolvedCacheOptions,
): RedisCacheStatus {
  switch (connection.state) {
    case 'idle':
      return 'healthy';
    case 'ready':
      return gateway.circuit === 'closed' ? 'healthy' : 'degraded';
    case 'connecting':
      return 'degraded';
    case 'driver-missing':
      return onDriverMissing === 'reject' ? 'unhealthy' : 'degraded';
    case 'closed':
      return 'unhealthy';
    case 'reconnecting':
      return connection.failedAttempts > maxRetries ? 'unhealthy' : 'degraded';
  }
}

export function statsOf(tiers: Tiers): RedisCacheStats {
  const { counters, memory, tags, namedLink: link } = tiers;
  const { memoryHits, redisHits, staleHits, sharedHits, negativeHits, misses } = counters;
  const hits = memoryHits + redisHits + staleHits + sharedHits + negativeHits;
  return Object.freeze({
    ...counters,
    hits,
    hitRatio: hits === 0 ? 0 : hits / (hits + misses),
    memory: Object.freeze({
      entries: memory.entries,
      bytes: memory.bytes,
      evictions: memory.evictions,
      tags: tags.size,
    }),
    ...(link === undefined
      ? {}
      : {
          redis: Object.freeze({
            ...link.gateway.stats(),
            pendingInvalidations: link.outage.size,
            pendingOverflows: link.outage.overflows,
          }),
        }),
  });
}

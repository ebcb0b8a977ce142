import { definedOf } from '../internal/options/defined-of.ts';
import type { RedisConnectionState } from './redis/redis-connection.ts';
import type { RedisGatewayStats } from './redis/redis-gateway.ts';
import type { RedisLink } from './redis/redis-link.ts';
import { troubleOf } from './redis/redis-trouble.ts';
import type { CacheCounters } from './tiers/cache-counters.ts';
import type { CacheSettings } from './tiers/cache-settings.ts';
import type { TierPair } from './tiers/tier-pair.ts';

/** `degraded`: works without Redis for now. `unhealthy`: has done so for more than `maxRetries` reconnects. */
export type RedisCacheStatus = 'healthy' | 'degraded' | 'unhealthy';

export interface RedisCacheHealth {
  readonly status: RedisCacheStatus;
  /** Why the cache is not healthy, in a few words without a secret; absent while it is healthy. */
  readonly reason?: string;
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
  /** Invalidations that Redis has not confirmed yet. */
  readonly pendingInvalidations: number;
  /** Kind of the last connection error, such as `ECONNREFUSED` or `WRONGPASS`, or of a refusal, such as `NOPERM`. */
  readonly lastError?: string;
}

/** A frozen snapshot of the counts of a cache. */
export interface RedisCacheStats extends Readonly<CacheCounters> {
  /** Hits of any kind, shared and stale ones too. */
  readonly hits: number;
  /** Hits divided by hits and misses, 0 to 1; 0 before the first read. */
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

export function healthOf(pair: TierPair): RedisCacheHealth {
  const { memory, namedLink: link } = pair;
  const held = Object.freeze({ entries: memory.size, bytes: memory.weight });
  if (link === undefined) return Object.freeze({ status: 'healthy', memory: held });
  const { state, subscribed, failedAttempts } = link.connection;
  const [refusal] = link.gateway.refusals.kinds.values();
  const lastError = state === 'ready' ? refusal : link.connection.lastError;
  const redis: RedisHealth = Object.freeze({
    state,
    circuit: link.gateway.circuit,
    subscribed,
    failedReconnects: failedAttempts,
    pendingInvalidations: link.outage.size,
    ...definedOf({ lastError }),
  });
  const status = statusOf(link, pair.options);
  const reason = status === 'healthy' ? {} : { reason: reasonOf(link) };
  return Object.freeze({ status, ...reason, memory: held, redis });
}

function reasonOf(link: RedisLink): string {
  const trouble = troubleOf(link);
  if (trouble !== undefined) return trouble.reason;
  return link.connection.state === 'closed' ? 'the cache is closed' : 'Redis has not answered yet';
}

function statusOf(
  { connection, gateway }: RedisLink,
  { maxRetries, onDriverMissing }: CacheSettings,
): RedisCacheStatus {
  switch (connection.state) {
    case 'idle':
      return 'healthy';
    case 'ready':
      return gateway.circuit === 'closed' && gateway.refusals.size === 0 ? 'healthy' : 'degraded';
    case 'connecting':
      return connection.isLate ? 'degraded' : 'healthy';
    case 'driver-missing':
      return onDriverMissing === 'reject' ? 'unhealthy' : 'degraded';
    case 'closed':
      return 'unhealthy';
    case 'reconnecting':
      return connection.failedAttempts > maxRetries ? 'unhealthy' : 'degraded';
  }
}

const redisStatsOf = ({ gateway, outage }: RedisLink) =>
  Object.freeze({ ...gateway.counts, pendingInvalidations: outage.size, pendingOverflows: outage.overflows });

/** @param prefix - The prefix of the namespace whose reads and writes are counted; empty for the whole cache. */
export function statsOf(pair: TierPair, prefix: string): RedisCacheStats {
  const { memory, tags, namedLink: link } = pair;
  const counters = pair.countersOf(prefix);
  const { memoryHits, redisHits, staleHits, sharedHits, negativeHits, misses } = counters;
  const hits = memoryHits + redisHits + staleHits + sharedHits + negativeHits;
  return Object.freeze({
    ...counters,
    hits,
    hitRatio: hits === 0 ? 0 : hits / (hits + misses),
    memory: Object.freeze({ entries: memory.size, bytes: memory.weight, evictions: pair.evictions, tags: tags.size }),
    ...definedOf({ redis: link && redisStatsOf(link) }),
  });
}

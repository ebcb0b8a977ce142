import { ConfigError, type ConfigIssue } from '../errors/config-error.ts';
import type { Random } from '../internal/backoff.ts';
import type { Clock } from '../internal/clock.ts';
import {
  boolean,
  callable,
  clockOption,
  describeKind,
  finiteNumber,
  integer,
  listOf,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  oneOf,
  ownOptions,
  ratio,
  required,
  secret,
  settingsOf,
  shape,
  text,
  withMethods,
} from '../internal/options/option-checks.ts';
import { defaultsOf, fromVariable, withDefault } from '../internal/options/option-spec.ts';
import { callOptions } from '../internal/options/own-options.ts';
import { MAX_TTL_SECONDS } from './entries/cache-input.ts';
import { type CacheCodec, jsonCodec } from './entries/encode-entry.ts';
import { contradictions, type RedisTargetOptions, targetOf } from './redis/redis-target.ts';
import { redisUrl } from './redis/redis-url.ts';
import type { CacheLogger, CacheSettings } from './tiers/cache-settings.ts';

export interface MemoryTierSettings {
  /** Most bytes of all entries, estimated from their encoded length. @defaultValue 67108864 (64 MiB) */
  readonly maxBytes?: number | undefined;
  /** Most entries; the least recently used one is evicted first. @defaultValue 10000 */
  readonly maxEntries?: number | undefined;
  /**
   * Most seconds for which an entry stays in memory; never longer than its own time to live.
   * @defaultValue 60 with Redis, unbounded without
   */
  readonly ttlSeconds?: number | undefined;
}

export interface RedisCacheOptions extends RedisTargetOptions {
  /** Time to live of an entry in seconds, unless its write gives another. @defaultValue 3600 */
  readonly defaultTTL?: number | undefined;
  /**
   * Prefix of every name in Redis: of keys, leases and the channel. A user of Redis needs `~prefix* &prefix*` only. On
   * a Cluster, braces in it must enclose some text.
   * @defaultValue 'describe_it:'
   */
  readonly keyPrefix?: string | undefined;
  /**
   * Failed reconnects in a row before `health()` says unhealthy. Commands are never retried; reconnecting never stops.
   * @defaultValue 3
   */
  readonly maxRetries?: number | undefined;
  /** Bounds of the memory tier. @defaultValue those of each bound */
  readonly memory?: MemoryTierSettings | undefined;
  /** Rejects with `DESCRIBE_CACHE` where Redis fails, instead of treating it as a miss. @defaultValue false */
  readonly strict?: boolean | undefined;
  /**
   * Longest time one operation may spend on Redis, in milliseconds; bulk operations get 0.1 ms more for each key.
   * @defaultValue 75
   */
  readonly operationTimeoutMs?: number | undefined;
  /**
   * Longest time in milliseconds for which memory is trusted without a question to Redis, even if messages are lost.
   * @defaultValue 2000
   */
  readonly tagTrustMs?: number | undefined;
  /**
   * Longest time in milliseconds for which memory is trusted while Redis can't be asked. More than `tagTrustMs` keeps
   * serving from memory through an outage; an invalidation by another process is then seen late.
   * @defaultValue `tagTrustMs`
   */
  readonly outageTrustMs?: number | undefined;
  /** Seconds for which an expired entry may be served when its factory fails or is slow. @defaultValue 0 */
  readonly graceSeconds?: number | undefined;
  /** Seconds between two tries to refresh a stale entry. @defaultValue 10 */
  readonly refreshThrottleSeconds?: number | undefined;
  /**
   * Refreshes entries in the background before they expire. It is the share of an entry's life, at its end, in which a
   * read by `getOrSet` may do so: the nearer the expiry is, and the longer the factory took, the more likely (XFetch).
   * Only an entry that was read at least twice in this process is refreshed, and one that `set` stored never. From 0
   * to 1.
   * @defaultValue 0: a value is made again once it has expired
   */
  readonly refreshAheadRatio?: number | undefined;
  /** Most refreshes ahead of expiry that begin in any minute, from 1 to 100000. @defaultValue 60 */
  readonly refreshAheadPerMinute?: number | undefined;
  /**
   * Random part of the time to live of a value that a factory made, so that values made together expire apart. It
   * shortens the time by at most this ratio. The time to live of `set` is exact.
   * @defaultValue 0.1
   */
  readonly ttlJitterRatio?: number | undefined;
  /** Milliseconds after which another process may take over the work of a process that died. @defaultValue 5000 */
  readonly leaseMs?: number | undefined;
  /**
   * Longest wait for another process that works on the same key, in milliseconds. After that, this process does the
   * work itself.
   * @defaultValue 30000
   */
  readonly followerWaitMs?: number | undefined;
  /**
   * Most bytes of an encoded value, before and after compression, its header in Redis included. Larger values are not
   * stored. A larger one found in Redis is removed.
   * @defaultValue 8388608
   */
  readonly maxValueBytes?: number | undefined;
  /** Encoded size from which a value is compressed for Redis, in characters or bytes. @defaultValue 16384 */
  readonly compressAboveBytes?: number | undefined;
  /** Most invalidations remembered during an outage. More of them are replayed as one `clear()`. @defaultValue 10000 */
  readonly maxPendingInvalidations?: number | undefined;
  /**
   * Logs once when Redis can't be used, and when it can again. Has the shape of pino or `console`. Never gets a key or
   * a value.
   * @defaultValue silent
   */
  readonly logger?: CacheLogger | undefined;
  /** Encodes values for Redis, and decodes them. @defaultValue JSON */
  readonly codec?: CacheCodec | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Source of chance for jitter and refreshes ahead, numbers in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

const MEMORY_TTL_WITH_REDIS_SECONDS = 60;

const seconds = (): OptionCheck => finiteNumber({ min: 0.001, max: MAX_TTL_SECONDS });
const address = () => shape({ host: required(nonEmptyText()), port: required(integer({ min: 1, max: 65_535 })) });

const addresses = (): OptionCheck => (value, option) =>
  Array.isArray(value) && value.length === 0
    ? [{ option, expected: 'at least one address', got: 'none' }]
    : listOf(address())(value, option);

export const MEMORY_SPEC = {
  maxBytes: withDefault(integer({ min: 1 }), 67_108_864),
  maxEntries: withDefault(integer({ min: 1, max: 10_000_000 }), 10_000),
  ttlSeconds: seconds(),
} satisfies OptionChecks<MemoryTierSettings>;

export const REDIS_TARGET_SPEC = {
  host: fromVariable('REDIS_HOST', nonEmptyText()),
  port: fromVariable('REDIS_PORT', integer({ min: 1, max: 65_535 })),
  username: fromVariable('REDIS_USERNAME', nonEmptyText()),
  password: fromVariable('REDIS_PASSWORD', secret()),
  db: fromVariable('REDIS_DB', integer({ min: 0 })),
  url: fromVariable('REDIS_URL', redisUrl()),
  family: oneOf(0, 4, 6),
  tls: (value, option) =>
    value === undefined || typeof value === 'boolean' || (typeof value === 'object' && value !== null)
      ? []
      : [{ option, expected: 'true, false or TLS options', got: describeKind(value) }],
  client: withMethods('an ioredis client', 'call', 'pipeline', 'duplicate', 'on'),
  cluster: addresses(),
  sentinels: addresses(),
  sentinelName: nonEmptyText(),
  onDriverMissing: withDefault(oneOf('reject', 'memory-only'), 'reject'),
} satisfies OptionChecks<RedisTargetOptions>;

export const CACHE_SPEC = {
  ...REDIS_TARGET_SPEC,
  defaultTTL: withDefault(seconds(), 3_600),
  keyPrefix: withDefault(text(), 'describe_it:'),
  maxRetries: withDefault(integer({ min: 0 }), 3),
  memory: withDefault(shape(MEMORY_SPEC), {}),
  strict: withDefault(boolean(), false),
  operationTimeoutMs: withDefault(milliseconds(), 75),
  tagTrustMs: withDefault(milliseconds({ min: 0 }), 2_000),
  outageTrustMs: milliseconds({ min: 0 }),
  graceSeconds: withDefault(finiteNumber({ min: 0, max: MAX_TTL_SECONDS }), 0),
  refreshThrottleSeconds: withDefault(finiteNumber({ min: 0, max: MAX_TTL_SECONDS }), 10),
  refreshAheadRatio: withDefault(ratio(), 0),
  refreshAheadPerMinute: withDefault(integer({ min: 1, max: 100_000 }), 60),
  ttlJitterRatio: withDefault(ratio(), 0.1),
  leaseMs: withDefault(milliseconds({ min: 100 }), 5_000),
  followerWaitMs: withDefault(milliseconds({ min: 0 }), 30_000),
  maxValueBytes: withDefault(integer({ min: 1_024, max: 256 * 1024 * 1024 }), 8_388_608),
  compressAboveBytes: withDefault(integer({ min: 0 }), 16_384),
  maxPendingInvalidations: withDefault(integer({ min: 1 }), 10_000),
  logger: withMethods('a logger with warn and info', 'warn', 'info'),
  codec: withDefault(withMethods('a codec', 'encode', 'decode'), jsonCodec as CacheCodec),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<RedisCacheOptions>;

/** Issues of options that are right one by one but contradict each other. */
export function cacheContradictions(given: RedisCacheOptions): readonly ConfigIssue[] {
  const options = callOptions(given);
  return contradictions(options, options.keyPrefix ?? defaultsOf(CACHE_SPEC).keyPrefix);
}

/** Checks the options and fills in defaults. @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
export function resolveCacheOptions(given: RedisCacheOptions): CacheSettings {
  if (typeof given === 'string') {
    // The `redis` of a describe client may be a URL alone, so people try that here.
    throw new ConfigError('RedisCache', [
      { option: 'options', expected: 'an object; for a URL, { url }', got: describeKind(given) },
    ]);
  }
  const issues = [...shape(CACHE_SPEC)(given, ''), ...cacheContradictions(ownOptions(given ?? {}, CACHE_SPEC))];
  if (issues.length > 0) throw new ConfigError('RedisCache', issues);
  const options = settingsOf(given, CACHE_SPEC);
  const { defaultTTL, graceSeconds, refreshThrottleSeconds, tagTrustMs, outageTrustMs = tagTrustMs } = options;
  const { maxBytes, maxEntries, ttlSeconds } = settingsOf(options.memory, MEMORY_SPEC);
  const target = targetOf(options);
  const memoryTtlSeconds = ttlSeconds ?? (target ? MEMORY_TTL_WITH_REDIS_SECONDS : Number.POSITIVE_INFINITY);
  return {
    ...options,
    target,
    defaultTtlMs: defaultTTL * 1_000,
    memory: {
      maxBytes,
      maxEntries,
      ttlMs: memoryTtlSeconds * 1_000,
      ttlAloneMs: (ttlSeconds ?? Number.POSITIVE_INFINITY) * 1_000,
    },
    outageTrustMs: Math.max(tagTrustMs, outageTrustMs),
    graceMs: graceSeconds * 1_000,
    refreshThrottleMs: refreshThrottleSeconds * 1_000,
    // Without Redis, entries are only held decoded, so compression would be a waste.
    compressAboveBytes: target === undefined ? Number.POSITIVE_INFINITY : options.compressAboveBytes,
  };
}

import { ConfigError } from '../errors/config-error.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import {
  boolean,
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
  shape,
  text,
  withMethods,
} from '../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../internal/options/own-options.ts';
import { MAX_TTL_SECONDS } from './entries/cache-input.ts';
import { type CacheCodec, jsonCodec } from './entries/codec.ts';
import { contradictions, type RedisTargetOptions, targetOf } from './redis/redis-target.ts';
import { redisUrl } from './redis/redis-url.ts';
import type { CacheLogger, CacheSettings } from './tiers/cache-settings.ts';

export interface MemoryTierSettings {
  /** Most bytes that entries take, estimated from their encoded length. @defaultValue 67108864 (64 MiB) */
  readonly maxBytes?: number | undefined;
  /** Most entries; the least recently used goes first. @defaultValue 10000 */
  readonly maxEntries?: number | undefined;
  /**
   * Seconds an entry stays in memory at most; it never outlives its own time to live.
   * @defaultValue 60 with Redis, unbounded without
   */
  readonly ttlSeconds?: number | undefined;
}

export interface RedisCacheOptions extends RedisTargetOptions {
  /** Seconds an entry lives when nothing else is said. @defaultValue 3600 */
  readonly defaultTTL?: number | undefined;
  /**
   * Start of every name in Redis: of keys, leases and the channel, so that a user of Redis needs no more than
   * `~prefix* &prefix*`. On a Cluster, braces in it have to enclose something. @defaultValue 'describe_it:'
   */
  readonly keyPrefix?: string | undefined;
  /**
   * Failed reconnects in a row before `health()` says unhealthy. Commands are never retried; reconnecting never stops.
   * @defaultValue 3
   */
  readonly maxRetries?: number | undefined;
  readonly memory?: MemoryTierSettings | undefined;
  /** Rejects with `DESCRIBE_CACHE` where Redis fails, instead of treating it as a miss. @defaultValue false */
  readonly strict?: boolean | undefined;
  /**
   * Longest time one operation may spend on Redis, in milliseconds; bulk operations get 0.1 ms a key more.
   * @defaultValue 75
   */
  readonly operationTimeoutMs?: number | undefined;
  /**
   * Longest time that memory is believed without asking Redis, whatever happens to messages. Milliseconds.
   * @defaultValue 2000
   */
  readonly tagTrustMs?: number | undefined;
  /**
   * The same while Redis can't be asked. More than `tagTrustMs` keeps serving from memory through an outage, at the
   * price that an invalidation made elsewhere meanwhile is seen late. Milliseconds. @defaultValue `tagTrustMs`
   */
  readonly outageTrustMs?: number | undefined;
  /** Seconds an expired entry is kept for the time when its factory fails or is slow. @defaultValue 0 */
  readonly graceSeconds?: number | undefined;
  /** Seconds between two tries to refresh a stale entry. @defaultValue 10 */
  readonly refreshThrottleSeconds?: number | undefined;
  /**
   * Share of a computed entry's time to live that is left to chance, so that entries made together do not end together:
   * it lives from (1 - ratio) to 1 times as long. What `set` writes lives exactly as long as it says.
   * @defaultValue 0.1
   */
  readonly ttlJitterRatio?: number | undefined;
  /** Milliseconds after which another process may take over the work of a process that died. @defaultValue 5000 */
  readonly leaseMs?: number | undefined;
  /**
   * Longest wait for another process that works on the same key, in milliseconds; then this one does the work itself.
   * @defaultValue 30000
   */
  readonly followerWaitMs?: number | undefined;
  /**
   * Largest encoded value in bytes, before and after compression, and what stands before it in Redis counts; larger
   * ones are not stored, and larger ones found in Redis are removed.
   * @defaultValue 8388608
   */
  readonly maxValueBytes?: number | undefined;
  /** Encoded size from which a value is compressed for Redis, in characters or bytes. @defaultValue 16384 */
  readonly compressAboveBytes?: number | undefined;
  /** Invalidations that are remembered during an outage; one more makes the replay a `clear()`. @defaultValue 10000 */
  readonly maxPendingInvalidations?: number | undefined;
  /**
   * Told once when Redis can't be used, and when it can again; of the shape of pino or `console`. Never told a key or a
   * value.
   * @defaultValue silent
   */
  readonly logger?: CacheLogger | undefined;
  /** @defaultValue JSON */
  readonly codec?: CacheCodec | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
}

const DEFAULTS = {
  defaultTTL: 3_600,
  keyPrefix: 'describe_it:',
  maxRetries: 3,
  strict: false,
  operationTimeoutMs: 75,
  tagTrustMs: 2_000,
  graceSeconds: 0,
  refreshThrottleSeconds: 10,
  ttlJitterRatio: 0.1,
  leaseMs: 5_000,
  followerWaitMs: 30_000,
  maxValueBytes: 8 * 1024 * 1024,
  compressAboveBytes: 16_384,
  maxPendingInvalidations: 10_000,
  onDriverMissing: 'reject',
} as const satisfies RedisCacheOptions;

const MEMORY_DEFAULTS = { maxBytes: 64 * 1024 * 1024, maxEntries: 10_000 } as const;
const MEMORY_TTL_WITH_REDIS_SECONDS = 60;

const seconds = (): OptionCheck => finiteNumber({ min: 0.001, max: MAX_TTL_SECONDS });
const address = () => shape({ host: required(nonEmptyText()), port: required(integer({ min: 1, max: 65_535 })) });

const addresses = (): OptionCheck => (value, option) =>
  Array.isArray(value) && value.length === 0
    ? [{ option, expected: 'at least one address', got: 'none' }]
    : listOf(address())(value, option);

const CHECKS: OptionChecks<RedisCacheOptions> = {
  host: nonEmptyText(),
  port: integer({ min: 1, max: 65_535 }),
  username: nonEmptyText(),
  password: secret(),
  db: integer({ min: 0 }),
  url: redisUrl(),
  family: oneOf(0, 4, 6),
  tls: (value, option) =>
    value === undefined || typeof value === 'boolean' || (typeof value === 'object' && value !== null)
      ? []
      : [{ option, expected: 'true, false or TLS options', got: describeKind(value) }],
  client: withMethods('an ioredis client', 'call', 'pipeline', 'duplicate', 'on'),
  cluster: addresses(),
  sentinels: addresses(),
  sentinelName: nonEmptyText(),
  onDriverMissing: oneOf('reject', 'memory-only'),
  defaultTTL: seconds(),
  keyPrefix: text(),
  maxRetries: integer({ min: 0 }),
  memory: shape({
    maxBytes: integer({ min: 1 }),
    maxEntries: integer({ min: 1, max: 10_000_000 }),
    ttlSeconds: seconds(),
  }),
  strict: boolean(),
  operationTimeoutMs: milliseconds(),
  tagTrustMs: milliseconds({ min: 0 }),
  outageTrustMs: milliseconds({ min: 0 }),
  graceSeconds: finiteNumber({ min: 0, max: MAX_TTL_SECONDS }),
  refreshThrottleSeconds: finiteNumber({ min: 0, max: MAX_TTL_SECONDS }),
  ttlJitterRatio: ratio(),
  leaseMs: milliseconds({ min: 100 }),
  followerWaitMs: milliseconds({ min: 0 }),
  maxValueBytes: integer({ min: 1_024, max: 256 * 1024 * 1024 }),
  compressAboveBytes: integer({ min: 0 }),
  maxPendingInvalidations: integer({ min: 1 }),
  logger: withMethods('a logger with warn and info', 'warn', 'info'),
  codec: withMethods('a codec', 'encode', 'decode'),
  clock: withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
};

/** Checks the options and fills in defaults. @throws `DESCRIBE_CONFIG_INVALID` that lists all that is wrong. */
export function resolveCacheOptions(given: RedisCacheOptions): CacheSettings {
  const options = ownOptions(given ?? {}, CHECKS);
  const issues = [...shape(CHECKS)(given, ''), ...contradictions(options, options.keyPrefix ?? DEFAULTS.keyPrefix)];
  if (issues.length > 0) throw new ConfigError('RedisCache', issues);
  const {
    defaultTTL = DEFAULTS.defaultTTL,
    keyPrefix = DEFAULTS.keyPrefix,
    maxRetries = DEFAULTS.maxRetries,
    memory: { maxBytes = MEMORY_DEFAULTS.maxBytes, maxEntries = MEMORY_DEFAULTS.maxEntries, ttlSeconds } = NO_OPTIONS,
    strict = DEFAULTS.strict,
    operationTimeoutMs = DEFAULTS.operationTimeoutMs,
    tagTrustMs = DEFAULTS.tagTrustMs,
    outageTrustMs = tagTrustMs,
    graceSeconds = DEFAULTS.graceSeconds,
    refreshThrottleSeconds = DEFAULTS.refreshThrottleSeconds,
    ttlJitterRatio = DEFAULTS.ttlJitterRatio,
    leaseMs = DEFAULTS.leaseMs,
    followerWaitMs = DEFAULTS.followerWaitMs,
    maxValueBytes = DEFAULTS.maxValueBytes,
    compressAboveBytes = DEFAULTS.compressAboveBytes,
    maxPendingInvalidations = DEFAULTS.maxPendingInvalidations,
    onDriverMissing = DEFAULTS.onDriverMissing,
    logger,
    codec = jsonCodec,
    clock = systemClock,
  } = options;
  const target = targetOf(options);
  const memoryTtlSeconds = ttlSeconds ?? (target ? MEMORY_TTL_WITH_REDIS_SECONDS : Number.POSITIVE_INFINITY);
  return {
    target,
    onDriverMissing,
    defaultTtlMs: defaultTTL * 1_000,
    keyPrefix,
    maxRetries,
    memory: {
      maxBytes,
      maxEntries,
      ttlMs: memoryTtlSeconds * 1_000,
      ttlAloneMs: (ttlSeconds ?? Number.POSITIVE_INFINITY) * 1_000,
    },
    strict,
    operationTimeoutMs,
    tagTrustMs,
    outageTrustMs: Math.max(tagTrustMs, outageTrustMs),
    graceMs: graceSeconds * 1_000,
    refreshThrottleMs: refreshThrottleSeconds * 1_000,
    ttlJitterRatio,
    leaseMs,
    followerWaitMs,
    maxValueBytes,
    // What never leaves the process is held decoded: compressing it would be for nothing.
    compressAboveBytes: target === undefined ? Number.POSITIVE_INFINITY : compressAboveBytes,
    maxPendingInvalidations,
    logger,
    codec,
    clock,
  };
}

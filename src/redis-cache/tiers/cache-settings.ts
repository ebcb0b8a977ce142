import type { Random } from '../../internal/backoff.ts';
import type { EncodingOptions } from '../entries/encode-entry.ts';
import type { RedisLinkOptions } from '../redis/redis-link.ts';
import type { RedisTarget } from '../redis/redis-target.ts';

/** Gets a log line when a cache can't use its Redis, and when it can again; pino and `console` fit. */
export interface CacheLogger {
  warn(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
}

/** How a cache works: its options, checked and with every default filled in. */
export interface CacheSettings extends RedisLinkOptions, EncodingOptions {
  readonly target: RedisTarget | undefined;
  readonly onDriverMissing: 'reject' | 'memory-only';
  readonly defaultTtlMs: number;
  readonly maxRetries: number;
  readonly memory: {
    readonly maxBytes: number;
    readonly maxEntries: number;
    readonly ttlMs: number;
    /** The time to live of memory where Redis was named but its driver is missing. */
    readonly ttlAloneMs: number;
  };
  readonly strict: boolean;
  readonly tagTrustMs: number;
  readonly outageTrustMs: number;
  readonly graceMs: number;
  readonly refreshThrottleMs: number;
  readonly refreshAheadRatio: number;
  readonly refreshAheadPerMinute: number;
  readonly random: Random;
  readonly ttlJitterRatio: number;
  readonly leaseMs: number;
  readonly followerWaitMs: number;
  readonly logger: CacheLogger | undefined;
}

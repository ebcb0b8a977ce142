import type { Clock } from '../../internal/clock.ts';
import type { CacheCodec } from '../entries/encode-entry.ts';
import type { RedisTarget } from '../redis/redis-target.ts';

/** Gets a log line when a cache can't use its Redis, and when it can again; pino and `console` fit. */
export interface CacheLogger {
  warn(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
}

/** How a cache works: its options, checked and with every default filled in. */
export interface CacheSettings {
  readonly target: RedisTarget | undefined;
  readonly onDriverMissing: 'reject' | 'memory-only';
  readonly defaultTtlMs: number;
  readonly keyPrefix: string;
  readonly maxRetries: number;
  readonly memory: {
    readonly maxBytes: number;
    readonly maxEntries: number;
    readonly ttlMs: number;
    /** The time to live of memory where Redis was named but its driver is missing. */
    readonly ttlAloneMs: number;
  };
  readonly strict: boolean;
  readonly operationTimeoutMs: number;
  readonly tagTrustMs: number;
  readonly outageTrustMs: number;
  readonly graceMs: number;
  readonly refreshThrottleMs: number;
  readonly ttlJitterRatio: number;
  readonly leaseMs: number;
  readonly followerWaitMs: number;
  readonly maxValueBytes: number;
  readonly compressAboveBytes: number;
  readonly maxPendingInvalidations: number;
  readonly logger: CacheLogger | undefined;
  readonly codec: CacheCodec;
  readonly clock: Clock;
}

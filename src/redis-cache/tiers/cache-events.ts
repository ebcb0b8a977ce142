import type { RedisFailureReason } from '../redis/redis-gateway.ts';

/** Events of a cache. No event carries a value. */
export interface RedisCacheEvents {
  /** Keys or tags were invalidated, here or on another process; no names mean everything. */
  invalidated: {
    readonly by: 'this-process' | 'another-process';
    readonly keys: readonly string[];
    readonly tags: readonly string[];
  };
  /** A Redis operation gave no answer; the caller saw a miss. */
  redisFailed: { readonly operation: string; readonly reason: RedisFailureReason; readonly kind: string };
  /** Redis can't be used, wholly or in part. Emitted once when that begins, with the reason of `health()`. */
  redisTroubled: { readonly reason: string };
  /** The trouble of the last `redisTroubled` is over. */
  redisRecovered: object;
  /** Redis can be used again. */
  redisReady: object;
  /** The connection to Redis was lost. */
  redisLost: object;
  /** The text under a key was too large, or this package did not write it; it was removed. */
  entryRejected: { readonly key: string };
  /** A value could not be stored: it can't be encoded, or is too large. */
  storeFailed: { readonly key: string; readonly error: unknown };
}

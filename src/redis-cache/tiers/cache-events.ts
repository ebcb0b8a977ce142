import type { RedisFailureReason } from '../redis/redis-gateway.ts';

/** What a cache tells. No event carries a value. */
export interface RedisCacheEvents {
  /** Keys or tags were invalidated, here or on another process; no names mean everything. */
  invalidated: {
    readonly by: 'this-process' | 'another-process';
    readonly keys: readonly string[];
    readonly tags: readonly string[];
  };
  /** A Redis operation gave no answer; the caller saw a miss, or nothing. */
  redisFailed: { readonly operation: string; readonly reason: RedisFailureReason; readonly kind: string };
  /** Redis can't be used, wholly or in part: told once when that begins, with the reason of `health()`. */
  redisTroubled: { readonly reason: string };
  /** What `redisTroubled` told of is over. */
  redisRecovered: object;
  /** Redis can be used again. */
  redisReady: object;
  /** The connection to Redis was lost. */
  redisLost: object;
  /** What stood under a key was no entry of ours, or too large, and was removed. */
  entryRejected: { readonly key: string };
  /** A value could not be stored: it can't be encoded, or is too large. */
  storeFailed: { readonly key: string; readonly error: unknown };
}

import { CacheError } from '../errors/cache-error.ts';
import { linkOf } from './redis/redis-link.ts';
import type { RedisCache } from './redis-cache.ts';

/** Added to the deadline of a cache operation, because the caller of a script waits in the background. */
const EXTRA_TIMEOUT_MS = 175;

/** Runs scripts, each as a whole, on the Redis of a cache. */
export interface RedisScript {
  /**
   * Runs a Lua script on keys of one slot, each with the cache's `keyPrefix` before it.
   * @throws `DESCRIBE_CACHE`, 175 ms after the cache's `operationTimeoutMs` at the latest, while Redis is away, hung or
   * behind an open breaker.
   */
  run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<readonly (string | number)[]>;
}

/** Runs scripts on the Redis of a cache, over its connection and its breaker; undefined where it has no Redis. */
export function redisScriptOf(cache: RedisCache): RedisScript | undefined {
  if (linkOf(cache) === undefined) return undefined;
  return {
    run: async (script, keys, args) => {
      const link = linkOf(cache);
      if (link === undefined) throw new CacheError("the script can't run: ioredis is not installed");
      const deadline = link.gateway.deadline();
      deadline.untilMs += EXTRA_TIMEOUT_MS;
      const names = keys.map((key) => `${link.names.prefix}${key}`);
      const reply = await link.gateway.send('script', [['EVAL', script, names.length, ...names, ...args]], deadline);
      if (!reply.ok) throw reply.error;
      const [answer] = reply.value;
      if (!Array.isArray(answer)) throw new CacheError('Redis failed to run the script', { cause: answer });
      return answer as (string | number)[];
    },
  };
}

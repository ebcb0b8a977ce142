import { bindMethods } from '../internal/bind-methods.ts';
import { processSingleton } from '../internal/modules/process-singleton.ts';
import { readEnvironment } from '../internal/options/environment.ts';
import { REDIS_TARGET_SPEC } from './cache-options.ts';
import type { RedisTargetOptions } from './redis/redis-target.ts';
import { RedisCache } from './redis-cache.ts';

/**
 * The cache of this process, which all copies of this package share. The first call makes it from `REDIS_URL`,
 * `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD` and `REDIS_DB`. It works in memory only when none is
 * set, or ioredis is not installed. The console and `health()` report a trouble with Redis once. Its connections never
 * keep the process alive.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that names every variable whose value does not parse.
 *
 * @example
 * ```ts
 * import { getCache } from '@describe-it/sdk/redis-cache';
 *
 * const answer = await getCache().getOrSet('answer', () => 42);
 * console.log(answer);
 * ```
 */
export function getCache(): RedisCache {
  return processSingleton('cache', () => {
    const cache = new RedisCache({
      ...readEnvironment<RedisTargetOptions>(REDIS_TARGET_SPEC),
      onDriverMissing: 'memory-only',
      logger: console,
    });
    return bindMethods(cache);
  });
}

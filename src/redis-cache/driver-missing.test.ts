import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';

// As without the package; without-redis.integration.test.ts tries that in a process of its own.
vi.mock(import('./redis/load-driver.ts'), async () => {
  const { ConfigError } = await import('../errors/config-error.ts');
  const loadDriver = () =>
    Promise.reject(
      new ConfigError('RedisCache', [{ option: 'ioredis', expected: 'an installed package', got: 'none' }]),
    );
  return { loadDriver };
});

describe('a cache without ioredis', () => {
  const open: RedisCache[] = [];
  afterEach(async () => {
    for (const cache of open.splice(0)) await cache.close();
  });
  const cacheOf = (onDriverMissing?: RedisCacheOptions['onDriverMissing']) => {
    const cache = new RedisCache({ host: '127.0.0.1', port: 1, onDriverMissing });
    open.push(cache);
    return cache;
  };

  it('rejects where it was told of Redis, unless onDriverMissing says otherwise', async () => {
    const cache = cacheOf();
    await expect(cache.set('key', 1)).rejects.toMatchObject({ code: 'DESCRIBE_CONFIG_INVALID' });
    expect(cache.health().status).toBe('unhealthy');
  });

  it("works in memory with onDriverMissing: 'memory-only', and says so", async () => {
    const cache = cacheOf('memory-only');
    await cache.set('key', 1);
    expect(await cache.get('key')).toBe(1);
    expect(cache.health()).toMatchObject({ status: 'degraded', redis: { state: 'driver-missing' } });
  });
});

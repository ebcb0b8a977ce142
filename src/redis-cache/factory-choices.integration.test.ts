import { describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { findRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import type { CacheFactoryContext } from './filling/factory-context.ts';
import type { RedisCache } from './redis-cache.ts';
import { startRedisForCaches } from './redis-caches.fixture.ts';

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));

describe.runIf(findRedisServer())('the choices of a factory, with Redis', () => {
  const redis = startRedisForCaches();

  async function pair(options: RedisCacheOptions = {}): Promise<[RedisCache, RedisCache, string]> {
    const keyPrefix = redis.newPrefix();
    const make = () => redis.connect({ keyPrefix, ...options });
    const caches: [RedisCache, RedisCache] = [make(), make()];
    await Promise.all(caches.map((cache) => cache.has('any')));
    for (const cache of caches) await redis.hears(cache);
    return [...caches, keyPrefix];
  }

  it('set the time to live in Redis, and keep the tags for as long', async () => {
    const [cache, other, prefix] = await pair({ ttlJitterRatio: 0 });
    const factory = ({ setTtl, setTags }: CacheFactoryContext) => {
      setTtl(600);
      setTags(['added']);
      return 'value';
    };
    await cache.getOrSet('key', factory, { ttlSeconds: 1, tags: ['given'] });
    const left = async (name: string) => (await redis.raw.pttl(`${prefix}${name}`)) / 1_000;
    expect(await left('e:key')).toBeGreaterThan(590);
    for (const tag of ['given', 'added', '']) expect(await left(`t:${tag}`), tag).toBeGreaterThan(590);
    expect(await other.get('key')).toBe('value');
    await other.invalidateByTags(['added']);
    expect(await other.get('key')).toBeUndefined();
    await expect.poll(() => cache.get('key')).toBeUndefined();
  });

  it('are not stored where another process invalidated an added tag meanwhile', async () => {
    const [cache, other] = await pair();
    const gate = new Deferred<void>();
    const making = cache.getOrSet('key', async ({ setTags }) => {
      await gate.promise;
      setTags(['added']);
      return 'old';
    });
    await pause(20);
    await other.invalidateByTags(['added']);
    await pause(50);
    gate.resolve();
    expect(await making).toBe('old');
    expect([await cache.has('key'), await other.has('key')]).toEqual([false, false]);
  });

  it('are not stored where messages were lost meanwhile', async () => {
    const [cache] = await pair();
    const gate = new Deferred<void>();
    const making = cache.getOrSet('key', async ({ setTags }) => {
      await gate.promise;
      setTags(['added']);
      return 'old';
    });
    await pause(20);
    await redis.raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(() => cache.health().redis?.subscribed).toBe(false);
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    gate.resolve();
    await making;
    expect(await cache.has('key')).toBe(false);
  });

  it('refreshes an entry ahead of its expiry once for all processes', async () => {
    const [cache, other] = await pair({
      ...{ defaultTTL: 5, refreshAheadRatio: 1, random: () => 1e-300, ttlJitterRatio: 0 },
    });
    let calls = 0;
    const factory = async () => {
      calls += 1;
      await pause(40);
      return calls;
    };
    const read = (from: RedisCache) => from.getOrSet('key', factory);
    await read(cache);
    // The message about the write makes the other cache forget what it has read.
    await pause(50);
    for (const from of [cache, other]) await read(from);
    await Promise.all([cache, other].map(read));
    await expect.poll(() => [cache, other].map((from) => from.getStats().aheadRefreshes)).toEqual([1, 1]);
    await pause(200);
    expect(calls).toBe(2);
    expect(await Promise.all([cache.get('key'), other.get('key')])).toEqual([2, 2]);
  });
});

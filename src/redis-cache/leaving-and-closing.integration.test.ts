import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { findRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import type { RedisCache } from './redis-cache.ts';
import { startRedisForCaches } from './redis-caches.fixture.ts';

const never = () => new Promise<never>(() => {});

describe.runIf(findRedisServer())('work that ends early', () => {
  const redis = startRedisForCaches();
  let keyPrefix: string;
  beforeEach(() => {
    keyPrefix = redis.newPrefix();
  });
  // Caches close only on a Redis that goes on.
  afterEach(() => redis.server.resume());

  const connect = (options: RedisCacheOptions = {}) => redis.connect({ keyPrefix, ...options });
  const hasLease = () => redis.raw.exists(`${keyPrefix}l:{${keyPrefix}e:key}`);
  const working = (cache: RedisCache) => expect.poll(() => cache.getStats().factoryCalls).toBe(1);

  it('leaves nothing behind on a client of the user', async () => {
    const client = new Redis(redis.server.url);
    const listeners = () => client.eventNames().map((name) => [name, client.listenerCount(name)]);
    const before = listeners();
    const cache = connect({ client, url: undefined });
    await cache.get('key');
    await cache.close();
    expect(listeners()).toEqual(before);
    client.disconnect();
  });

  it('calls no factory when every caller left while Redis was asked', async () => {
    const cache = connect();
    await cache.get('warm');
    redis.server.pause();
    const controller = new AbortController();
    const asked = cache.getOrSet('key', never, { signal: controller.signal, forceRefresh: true });
    controller.abort('left');
    await expect(asked).rejects.toBe('left');
    redis.server.resume();
    await expect.poll(() => cache.getStats().redis?.operations).toBeGreaterThan(2);
    await expect.poll(hasLease).toBe(0);
    expect(cache.getStats().factoryCalls).toBe(0);
  });

  it('sets the key free when every caller left, though the factory ignores its signal', async () => {
    const cache = connect();
    const controller = new AbortController();
    const asked = cache.getOrSet('key', never, { signal: controller.signal });
    asked.catch(() => {});
    await working(cache);
    expect(await hasLease()).toBe(1);
    controller.abort('left');
    expect(await connect().getOrSet('key', () => 'made by the next')).toBe('made by the next');
  });

  it('gives leases back on close, and joined calls the value of their own factory', async () => {
    const [owner, follower, other] = [connect(), connect(), connect()];
    const answer = new Deferred<string>();
    const owned = owner.getOrSet('key', () => answer.promise);
    await working(owner);
    const followed = follower.getOrSet('key', () => 'made alone');
    await expect.poll(() => follower.getStats().redis?.operations).toBeGreaterThan(1);
    await follower.close();
    expect(await followed).toBe('made alone');
    expect(await hasLease()).toBe(1);
    await owner.close();
    expect(await hasLease()).toBe(0);
    expect(await other.getOrSet('key', () => 'made by the next')).toBe('made by the next');
    answer.resolve('too late to store');
    expect(await owned).toBe('too late to store');
    expect(await other.get('key')).toBe('made by the next');
  });

  it('aborts a refresh in the background on close, and gives its lease back', async () => {
    const cache = connect({ graceSeconds: 60, ttlJitterRatio: 0 });
    await cache.getOrSet('key', () => 'old', { ttlSeconds: 0.02 });
    const reasons: unknown[] = [];
    const hanging = ({ signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return never();
    };
    const refresh = () => cache.getOrSetWithSource('key', hanging, { softTimeoutMs: 0 });
    await expect.poll(async () => (await refresh()).source).toBe('stale');
    await expect.poll(() => cache.getStats().factoryCalls).toBe(2);
    expect(await hasLease()).toBe(1);
    await cache.close();
    expect(reasons).toMatchObject([{ code: 'DESCRIBE_CLOSED' }]);
    expect(await hasLease()).toBe(0);
  });

  it('closes twice at once while Redis hangs, within its deadlines', async () => {
    const cache = connect({ operationTimeoutMs: 100 });
    await cache.set('key', 1);
    redis.server.pause();
    const reads = Promise.all([cache.mget(['a', 'b']), cache.get('c'), cache.getOrSet('d', () => 4)]);
    // The paused server never answers, so only deadlines can settle these.
    await Promise.all([cache.close(), cache.close()]);
    expect(await reads).toEqual([[undefined, undefined], undefined, 4]);
  });

  it('never shows what was made before an invalidation that Redis hung in', async () => {
    const cache = connect({ operationTimeoutMs: 60 });
    const answer = new Deferred<string>();
    const making = cache.getOrSet('key', () => answer.promise, { tags: ['tag'] });
    await working(cache);
    redis.server.pause();
    await cache.invalidateByTags(['tag']);
    answer.resolve('old');
    expect(await making).toBe('old');
    expect(await cache.get('key')).toBeUndefined();
    redis.server.resume();
    expect(await cache.get('key')).toBeUndefined();
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    expect(await cache.get('key')).toBeUndefined();
    expect(await connect().get('key')).toBeUndefined();
  });
});

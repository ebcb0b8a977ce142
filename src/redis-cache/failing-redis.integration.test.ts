import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheError } from '../errors/cache-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { findRedisServer, startRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import { startRedisForCaches } from './redis-caches.fixture.ts';

type Commands = readonly (readonly unknown[])[];

describe.runIf(findRedisServer())('a Redis that fails, or a factory', () => {
  const clients: Redis[] = [];
  // Registered before that of Redis, so that the caches close first.
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  const redis = startRedisForCaches();
  let keyPrefix: string;
  beforeEach(() => {
    keyPrefix = redis.newPrefix();
  });
  afterEach(() => redis.raw.config('SET', 'maxmemory', '0'));

  /** A cache over a client whose pipelines fail as `failing` says, once messages arrive. */
  const connect = async (options: RedisCacheOptions = {}, failing = (_: Commands) => false) => {
    const client = new Redis(redis.server.url, { enableOfflineQueue: false, lazyConnect: true });
    clients.push(client);
    const pipeline = client.pipeline.bind(client);
    const failed = { exec: () => Promise.reject(new Error('lost')) };
    Object.assign(client, {
      pipeline: (commands: unknown[][]) => (failing(commands) ? failed : pipeline(commands)),
    });
    const cache = redis.connect({ client, keyPrefix, ...options });
    await cache.get('warm');
    await redis.hears(cache);
    return cache;
  };
  const leases = () => redis.raw.keys(`${keyPrefix}l:*`);
  const fill = () => redis.raw.config('SET', 'maxmemory', '1');
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('lacks memory for a lease: the factory is called at once, and its value held in memory', async () => {
    const cache = await connect({ followerWaitMs: 20_000 });
    await cache.set('other', 1);
    await fill();
    expect(await cache.getOrSetWithSource('key', () => 'made')).toEqual({ value: 'made', source: 'factory' });
    expect(await cache.getOrSetWithSource('key', () => 'anew')).toEqual({ value: 'made', source: 'memory' });
  });

  it('lacks memory for a forced value: no caller gets the replaced one', async () => {
    const cache = await connect({ tagTrustMs: 50 });
    await cache.set('key', 'old');
    await fill();
    expect(await cache.getOrSet('key', () => 'forced', { forceRefresh: true })).toBe('forced');
    await pass(100);
    expect(await cache.get('key')).toBeUndefined();
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    expect(await redis.raw.exists(`${keyPrefix}e:key`)).toBe(0);
  });

  it('lacks memory for a new value: the lease is given back, and memory holds the value', async () => {
    const cache = await connect();
    const factory = async () => {
      await fill();
      return 'made';
    };
    expect(await cache.getOrSet('key', factory)).toBe('made');
    expect(await leases()).toEqual([]);
    expect(await cache.getWithSource('key')).toEqual({ value: 'made', source: 'memory' });
  });

  it('keeps the tags of a failure for as long as that is remembered', async () => {
    const cache = await connect();
    const fail = () => Promise.reject(new CacheError('gone'));
    const remembered = { ttlSeconds: 1, tags: ['tag'], negativeTtlSeconds: () => 600 };
    await expect(cache.getOrSet('key', fail, remembered)).rejects.toThrow('gone');
    for (const tag of ['', 'tag']) expect(await redis.raw.pttl(`${keyPrefix}t:${tag}`)).toBeGreaterThan(600_000);
  });

  it('tries a refresh that failed once a while, also of a value above the capacity of memory', async () => {
    const cache = await connect({ memory: { maxEntries: 1 } });
    const keys = ['one', 'other'];
    for (const key of keys) await cache.getOrSet(key, () => key, { ttlSeconds: 0.01, graceSeconds: 60 });
    await pass(20);
    let calls = 0;
    const fail = () => {
      calls += 1;
      return Promise.reject(new Error('no'));
    };
    for (const key of [...keys, ...keys]) expect(await cache.getOrSet(key, fail)).toBe(key);
    expect(calls).toBe(2);
    // A refresh of another write has not failed yet.
    await cache.set('one', 'set', { ttlSeconds: 0.01, graceSeconds: 60 });
    await pass(20);
    expect(await cache.getOrSet('one', fail)).toBe('set');
    expect(calls).toBe(3);
  });

  it('fails after a lease was taken: strict rejects and gives it back', async () => {
    let fails = false;
    const cache = await connect({ strict: true, tagTrustMs: 0 }, (commands) => {
      return fails && commands.every(([, name]) => name === 'GET');
    });
    await cache.set('key', 'made before', 60, ['tag']);
    fails = true;
    await expect(cache.getOrSet('key', () => 'made', { tags: ['other'] })).rejects.toBeInstanceOf(CacheError);
    expect(await leases()).toEqual([]);
  });

  it('fails once: memory that was believed meanwhile is asked about again', async () => {
    let fails = false;
    const cache = await connect({ tagTrustMs: 50, outageTrustMs: 60_000 }, () => fails);
    await cache.set('key', 'made');
    await pass(60);
    fails = true;
    expect(await cache.get('key')).toBe('made');
    fails = false;
    // As after a removal whose message was lost.
    await redis.raw.del(`${keyPrefix}e:key`);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('fails for a removal: the names that count are those that were given', async () => {
    let fails = false;
    const cache = await connect({}, () => fails);
    await cache.set('key', 'made');
    fails = true;
    const keys = ['key'];
    const removed = cache.deleteMany(keys);
    keys[0] = 'other';
    await removed;
    fails = false;
    expect(await cache.get('key')).toBeUndefined();
    await expect.poll(() => redis.raw.exists(`${keyPrefix}e:key`)).toBe(0);
  });

  it('fails for a removal while a value is made: that value is stored nowhere', async () => {
    let fails = false;
    const cache = await connect({}, (commands) => fails && commands.some(([, command]) => command === 'UNLINK'));
    const answer = new Deferred<string>();
    const making = cache.getOrSet('key', () => answer.promise);
    await expect.poll(() => cache.getStats().factoryCalls).toBe(1);
    fails = true;
    await cache.delete('key');
    expect(cache.health().redis?.pendingInvalidations).toBe(1);
    answer.resolve('made before');
    expect(await making).toBe('made before');
    expect(await redis.raw.exists(`${keyPrefix}e:key`)).toBe(0);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('hangs for less than an operation may take: the answer is waited for, however long', async () => {
    const own = await startRedisServer();
    const cache = redis.connect({ url: own.url, tagTrustMs: 0, operationTimeoutMs: 5_000 });
    await cache.set('key', 'made');
    own.pause();
    const answers = Promise.all([cache.get('key'), cache.mget(['key'])]);
    await pass(2_300);
    own.resume();
    expect(await answers).toEqual(['made', ['made']]);
    await own.stop();
  });

  it('is away: mget believes memory as long as get does, save what Redis said was gone', async () => {
    const own = await startRedisServer();
    const cache = redis.connect({ url: own.url, tagTrustMs: 50, outageTrustMs: 60_000 });
    await cache.get('warm');
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    await cache.mset(['kept', 'gone', 'null'].map((key) => ({ key, data: key === 'null' ? null : key })));
    await cache.set('over', 'over', 0.2);
    const other = new Redis(own.url);
    await other.del('describe_it:e:gone');
    other.disconnect();
    await pass(60);
    expect(await cache.mget(['gone'])).toEqual([undefined]);
    await own.stop();
    await pass(200);
    const keys = ['missing', 'kept', 'gone', 'over', 'null', 'kept'];
    expect(await cache.mget(keys)).toEqual([undefined, 'kept', undefined, undefined, null, 'kept']);
    expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(await cache.mget(keys));
    await cache.delete('kept');
    await cache.set('new', 'new');
    await pass(60);
    expect(await cache.mget(['kept', 'new'])).toEqual([undefined, 'new']);
    expect(cache.getStats().misses).toBe(2 + 2 * 3 + 3 + 1);
  });
});

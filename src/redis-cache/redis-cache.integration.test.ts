import { deflateRawSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { findRedisServer, startRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import type { RedisCache } from './redis-cache.ts';
import { startRedisForCaches } from './redis-caches.fixture.ts';

describe.runIf(findRedisServer())('RedisCache with Redis', () => {
  const redis = startRedisForCaches();
  const { newPrefix, connect, hears } = redis;
  const pair = (options: RedisCacheOptions = {}): [RedisCache, RedisCache] => {
    const keyPrefix = newPrefix();
    return [connect({ keyPrefix, ...options }), connect({ keyPrefix, ...options })];
  };

  it('shares values between processes, and says from which tier they come', async () => {
    const [writer, reader] = pair();
    await Promise.all([writer.has('key'), reader.has('key')]);
    await hears(writer);
    await hears(reader);
    await writer.set('key', { n: 1 }, 60, ['tag']);
    expect(await reader.getWithSource('key')).toEqual({ value: { n: 1 }, source: 'redis' });
    // The message about the write may drop the entry once more.
    await expect.poll(() => reader.getWithSource('key')).toEqual({ value: { n: 1 }, source: 'memory' });
    expect(await writer.getWithSource('key')).toEqual({ value: { n: 1 }, source: 'memory' });
    expect(Object.isFrozen(await reader.get('key'))).toBe(true);
  });

  it('writes nothing without an end, and nothing under another prefix', async () => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix });
    await cache.set('key', 1, 60, ['tag']);
    await cache.getOrSet('other', () => 2);
    const names = await redis.raw.keys('*');
    const own = names.filter((name) => name.startsWith(keyPrefix)).sort();
    expect(own).toEqual(['e:key', 'e:other', 't:', 't:tag'].map((name) => `${keyPrefix}${name}`));
    for (const name of own) expect(await redis.raw.pttl(name)).toBeGreaterThan(0);
  });

  it('drops an invalidated tag on every process at once, and a deleted or replaced key', async () => {
    const [one, two] = pair({ tagTrustMs: 60_000 });
    await one.mset([
      { key: 'tagged', data: 1, tags: ['tag'] },
      { key: 'deleted', data: 2 },
      { key: 'replaced', data: 3 },
      { key: 'kept', data: 4, tags: ['other'] },
    ]);
    const keys = ['tagged', 'deleted', 'replaced', 'kept'];
    expect(await two.mget(keys)).toEqual([1, 2, 3, 4]);
    await hears(two);
    const heard: unknown[] = [];
    two.on('invalidated', (event) => heard.push(event));
    await two.mget(keys);
    await one.invalidateByTags(['tag']);
    await one.delete('deleted');
    await one.set('replaced', 5);
    await expect.poll(() => heard.length).toBe(3);
    expect(await two.mget(keys)).toEqual([undefined, undefined, 5, 4]);
    await one.clear();
    await expect.poll(() => heard.length).toBe(4);
    expect(await two.mget(keys)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('sees an invalidation within tagTrustMs when no message arrives', async () => {
    const keyPrefix = newPrefix();
    const [one, two] = [connect({ keyPrefix }), connect({ keyPrefix, tagTrustMs: 50 })];
    await one.get('key');
    await hears(one);
    await one.set('key', 1, 60, ['tag']);
    await two.get('key');
    await hears(two);
    expect(await two.get('key')).toBe(1);
    await redis.raw.del(`${keyPrefix}t:tag`);
    await expect.poll(() => two.get('key')).toBeUndefined();
    expect(await one.get('key')).toBe(1);
  });

  it('asks Redis at every read with a tagTrustMs of 0', async () => {
    const cache = connect({ keyPrefix: newPrefix(), tagTrustMs: 0 });
    await cache.set('key', 1, 60, ['tag']);
    await hears(cache);
    expect(await cache.get('key')).toBe(1);
    await redis.raw.del(`${redis.prefix}t:tag`);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('verifies memory again when the subscriber was lost', async () => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix, tagTrustMs: 60_000 });
    await cache.set('key', 1, 60, ['tag']);
    await hears(cache);
    await cache.get('key');
    await redis.raw.del(`${keyPrefix}t:tag`);
    expect(await cache.get('key')).toBe(1);
    await redis.raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(() => cache.get('key')).toBeUndefined();
    await hears(cache);
  });

  it('keeps a value that was made before an invalidation on another process from being read', async () => {
    const [one, two] = pair();
    const answer = new Deferred<string>();
    const making = one.getOrSet('key', () => answer.promise, { tags: ['tag'] });
    await expect.poll(() => one.getStats().factoryCalls).toBe(1);
    await two.invalidateByTags(['tag']);
    answer.resolve('old');
    expect(await making).toBe('old');
    expect(await one.get('key')).toBeUndefined();
    expect(await two.get('key')).toBeUndefined();
  });

  it('calls one factory for two processes, the follower reads what the owner wrote', async () => {
    const [one, two] = pair();
    const answer = new Deferred<string>();
    const first = one.getOrSetWithSource('key', () => answer.promise);
    await expect.poll(() => one.getStats().factoryCalls).toBe(1);
    const second = two.getOrSetWithSource('key', () => 'not called');
    await hears(two);
    answer.resolve('made once');
    expect(await first).toEqual({ value: 'made once', source: 'factory' });
    expect(await second).toEqual({ value: 'made once', source: 'redis' });
    expect(two.getStats().factoryCalls).toBe(0);
  });

  it('lets a follower work when the owner fails or dies', async () => {
    const [one, two] = pair({ leaseMs: 300 });
    const answer = new Deferred<string>();
    const failing = one.getOrSet('failing', () => answer.promise);
    await expect.poll(() => one.getStats().factoryCalls).toBe(1);
    const after = two.getOrSet('failing', () => 'second try');
    answer.reject(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    expect(await after).toBe('second try');

    void one.getOrSet('dying', () => new Promise(() => {})).catch(() => {});
    await expect.poll(() => one.getStats().factoryCalls).toBe(2);
    await one.close();
    expect(await two.getOrSet('dying', () => 'taken over')).toBe('taken over');
  });

  it('does not let work that was deleted meanwhile overwrite what came after', async () => {
    const [one, two] = pair();
    const answer = new Deferred<string>();
    const making = one.getOrSet('key', () => answer.promise);
    await expect.poll(() => one.getStats().factoryCalls).toBe(1);
    await two.set('key', 'newer');
    answer.resolve('older');
    expect(await making).toBe('older');
    expect(await one.get('key')).toBe('newer');
    expect(await two.get('key')).toBe('newer');
  });

  it('stores what a follower makes after the removal that set it free', async () => {
    const [one, two] = pair();
    const never = new AbortController();
    const owner = one.getOrSet('key', () => new Promise(() => {}), { signal: never.signal });
    owner.catch(() => {});
    await expect.poll(() => one.getStats().factoryCalls).toBe(1);
    const following = two.getOrSet('key', () => 'made after');
    await hears(two);
    await connect({ keyPrefix: redis.prefix }).delete('key');
    expect(await following).toBe('made after');
    expect(await redis.raw.exists(`${redis.prefix}e:key`)).toBe(1);
    expect((await two.getWithSource('key'))?.value).toBe('made after');
    never.abort(new Error('over'));
  });

  it('does not write what it made once its lease is lost, even without a message about it', async () => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix });
    const answer = new Deferred<string>();
    const making = cache.getOrSet('key', () => answer.promise);
    await expect.poll(() => cache.getStats().factoryCalls).toBe(1);
    expect(await redis.raw.del(`${keyPrefix}l:{${keyPrefix}e:key}`)).toBe(1);
    answer.resolve('made');
    expect(await making).toBe('made');
    expect(await redis.raw.exists(`${keyPrefix}e:key`)).toBe(0);
    expect(await cache.get('key')).toBeUndefined();
    expect(cache.getStats().droppedWrites).toBe(1);
  });

  it('does not believe Redis about what it could not remove, until the removal is replayed', async () => {
    await using server = await startRedisServer();
    const cache = connect({ url: server.url });
    const admin = new Redis(server.url);
    await cache.mset([
      { key: 'deleted', data: 1 },
      { key: 'tagged', data: 2, tags: ['tag'] },
      { key: 'kept', data: 3 },
    ]);
    await admin.call('ACL', 'SETUSER', 'default', '-unlink');
    await Promise.all([cache.delete('deleted'), cache.invalidateByTags(['tag'])]);
    expect(await cache.mget(['deleted', 'tagged', 'kept'])).toEqual([undefined, undefined, 3]);
    expect(await cache.get('deleted')).toBeUndefined();
    expect(await cache.get('tagged')).toBeUndefined();
    expect(cache.health().redis?.pendingInvalidations).toBe(2);
    await admin.call('ACL', 'SETUSER', 'default', '+unlink');
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    expect(await admin.exists('describe_it:e:deleted', 'describe_it:t:tag')).toBe(0);
    admin.disconnect();
  });

  it.each([
    ['text that is no JSON', (key: string) => redis.raw.set(key, 'garbage')],
    ['text that is nearly an entry', (key: string) => redis.raw.set(key, 'id 1 900000000000000 0 0 json {"a":1}\n{}')],
    ['bytes', (key: string) => redis.raw.set(key, Buffer.from([0, 255, 254]))],
    ['a list', (key: string) => redis.raw.rpush(key, 'a', 'b')],
    [
      'a value above maxValueBytes',
      (key: string) => redis.raw.set(key, `id 1 900000000000000 0 0 json {}\n"${'x'.repeat(5_000)}"`),
    ],
    [
      'what inflates beyond maxValueBytes',
      (key: string) =>
        redis.raw.set(
          key,
          `id 1 900000000000000 0 0 deflated-text {}\n${deflateRawSync('"'.padEnd(100_000, 'x')).toString('base64')}`,
        ),
    ],
  ])('takes %s under its key for a miss and removes it', async (_, plant) => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix, maxValueBytes: 4_096, strict: true });
    await plant(`${keyPrefix}e:key`);
    expect(await cache.get('key')).toBeUndefined();
    await expect.poll(() => redis.raw.exists(`${keyPrefix}e:key`)).toBe(0);
    expect(await cache.getOrSet('key', () => 'made')).toBe('made');
    expect(cache.health().status).toBe('healthy');
  });

  it('asks for lengths first after a bulk read got no answer, for a value too large may have been the reason', async () => {
    await using poisoned = await startRedisServer();
    const admin = new Redis(poisoned.url);
    const cache = connect({ url: poisoned.url, operationTimeoutMs: 50, maxValueBytes: 4_096, tagTrustMs: 0 });
    await cache.mset(['a', 'b', 'list', 'large'].map((key) => ({ key, data: key })));
    await admin.setrange('describe_it:e:large', 8_000_000, 'x');
    await admin.del('describe_it:e:list');
    await admin.rpush('describe_it:e:list', 'x');
    poisoned.pause();
    await cache.mget(['absent']);
    poisoned.resume();
    const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await admin.info('stats'))?.[1]);
    const before = await sent();
    const read = () => cache.mget(['a', 'large', 'absent', 'list', 'b']);
    await expect.poll(read).toEqual(['a', undefined, undefined, undefined, 'b']);
    expect((await sent()) - before).toBeLessThan(1_000_000);
    await expect.poll(() => admin.exists('describe_it:e:large', 'describe_it:e:list')).toBe(0);
    expect(cache.health().status).toBe('healthy');
    admin.disconnect();
  });

  it('makes a new version where a tag key holds something else', async () => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix });
    await redis.raw.rpush(`${keyPrefix}t:tag`, 'a');
    await cache.set('key', 1, 60, ['tag']);
    expect(await connect({ keyPrefix }).get('key')).toBe(1);
  });

  it('serves no value after its grace, though Redis still has the entry', async () => {
    const [writer, reader] = pair({ ttlJitterRatio: 0 });
    const failing = () => Promise.reject(new Error('down'));
    for (const [key, graceSeconds] of Object.entries({ over: 0.001, within: 60 })) {
      await writer.set(key, 'old', { ttlSeconds: 0.5, graceSeconds });
      expect(await redis.raw.persist(`${redis.prefix}e:${key}`)).toBe(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await reader.getOrSetWithSource('within', failing)).toEqual({ value: 'old', source: 'stale' });
    await expect(reader.getOrSet('over', failing)).rejects.toThrow('down');
  });

  it('stores large values compressed, and bytes of a codec', async () => {
    const keyPrefix = newPrefix();
    const text = 'description '.repeat(5_000);
    const [one, two] = [connect({ keyPrefix }), connect({ keyPrefix })];
    await one.set('key', { text });
    expect(await redis.raw.strlen(`${keyPrefix}e:key`)).toBeLessThan(2_000);
    expect(await two.get('key')).toEqual({ text });

    const codec = {
      encode: (value: unknown) => new TextEncoder().encode(`own ${JSON.stringify(value)}`),
      decode: (bytes: string | Uint8Array): unknown =>
        JSON.parse(new TextDecoder().decode(bytes as Uint8Array).slice('own '.length)),
    };
    const other = newPrefix();
    const [three, four] = [connect({ keyPrefix: other, codec }), connect({ keyPrefix: other, codec })];
    await three.set('small', { n: 1 });
    expect(await redis.raw.get(`${other}e:small`)).toContain(btoa('own {"n":1}'));
    await three.set('large', { text });
    expect(await four.mget(['small', 'large'])).toEqual([{ n: 1 }, { text }]);
  });

  it('compresses what is longer than compressAboveBytes', async () => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix, compressAboveBytes: 100 });
    await cache.set('key', 'description '.repeat(100));
    const bytes = await redis.raw.strlen(`${keyPrefix}e:key`);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(600);
  });

  it('holds its lease for leaseMs, and waits for that of another for followerWaitMs', async () => {
    const keyPrefix = newPrefix();
    const [one, two] = [connect({ keyPrefix, leaseMs: 60_000 }), connect({ keyPrefix, followerWaitMs: 20 })];
    void one.getOrSet('key', () => new Promise(() => {})).catch(() => {});
    await expect.poll(() => one.getStats().factoryCalls).toBe(1);
    const [lease = ''] = await redis.raw.keys(`${keyPrefix}l:*`);
    expect(await redis.raw.pttl(lease)).toBeGreaterThan(30_000);
    expect(await two.getOrSet('key', () => 'made without waiting')).toBe('made without waiting');
  });

  it('is unhealthy after more failed reconnects than maxRetries', async () => {
    const cache = connect({ url: 'redis://127.0.0.1:1', maxRetries: 0 });
    await cache.get('key');
    await expect.poll(() => cache.health().redis?.failedReconnects, { interval: 1 }).toBeGreaterThan(0);
    expect(cache.health().status).toBe('unhealthy');
  });

  it('removes the entries of purged tags at once, and nothing else', async () => {
    const keyPrefix = newPrefix();
    const cache = connect({ keyPrefix });
    const entries = Array.from({ length: 450 }, (_, n) => ({
      key: `k${n}`,
      data: n,
      tags: [n % 3 === 0 ? 'fizz' : 'none'],
    }));
    await cache.mset(entries);
    await redis.raw.set(`${keyPrefix}e:garbage`, 'x');
    expect(await cache.purgeTags(['fizz'])).toBe(150);
    const left = await redis.raw.keys(`${keyPrefix}e:*`);
    expect(left.filter((name) => name !== `${keyPrefix}e:garbage`)).toHaveLength(300);
    expect(cache.getStats().memory.entries).toBe(300);
    expect(await cache.mget(['k0', 'k1'])).toEqual([undefined, 1]);
  });

  it("uses the user's client and leaves it open", async () => {
    const client = new Redis(redis.server.url);
    const cache = connect({ client, url: undefined, keyPrefix: newPrefix() });
    await cache.set('key', 1);
    await hears(cache);
    await cache.close();
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('answers with a miss and no error while Redis is away, and recovers by itself', async () => {
    await using away = await startRedisServer();
    const cache = connect({ url: away.url, operationTimeoutMs: 75, tagTrustMs: 0 });
    await cache.set('key', 1);
    await away.kill();
    await expect.poll(() => cache.health().redis?.state).toBe('reconnecting');
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 2)).toBe(2);
    await cache.delete('key');
    await cache.invalidateByTags(['tag']);
    expect(cache.health()).toMatchObject({ redis: { pendingInvalidations: 2 } });
    await expect.poll(() => cache.health().redis?.lastError).toBe('ECONNREFUSED');
    expect(cache.health().status).not.toBe('healthy');
    await away.restart();
    await expect.poll(() => cache.health().status).toBe('healthy');
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    await cache.set('key', 3);
    expect(await cache.getWithSource('key')).toEqual({ value: 3, source: 'redis' });
  });

  it('spends no more than its deadline on a hanging Redis, and nothing once the breaker is open', async () => {
    await using hanging = await startRedisServer();
    const cache = connect({ url: hanging.url, operationTimeoutMs: 75 });
    await cache.set('key', 1);
    hanging.pause();
    // The paused server never answers, so only deadlines can settle these.
    expect(await cache.get('absent')).toBeUndefined();
    await cache.get('absent');
    await cache.get('absent');
    expect(cache.health()).toMatchObject({ status: 'degraded', redis: { circuit: 'open' } });
    const { operations } = cache.getStats().redis ?? {};
    for (let n = 0; n < 100; n += 1) await cache.get('absent');
    expect(cache.getStats().redis?.operations).toBe(operations);
    hanging.resume();
    await expect.poll(() => cache.getWithSource('key').then((hit) => hit?.value)).toBe(1);
    expect(cache.health().status).toBe('healthy');
  });

  it('connects anew when a server says nothing any more, and adds no listener a command', async () => {
    await using silent = await startRedisServer();
    const cache = connect({ url: silent.url, operationTimeoutMs: 75 });
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    await Promise.all(Array.from({ length: 50 }, (_, n) => cache.set(`k${n}`, n)));
    silent.pause();
    await cache.get('absent');
    await expect.poll(() => cache.health().redis?.state).toBe('reconnecting');
    silent.resume();
    await expect.poll(() => cache.health().status).toBe('healthy');
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('replays an invalidation made during an outage before it trusts Redis again', async () => {
    await using flaky = await startRedisServer();
    const keyPrefix = newPrefix();
    const cache = connect({ url: flaky.url, keyPrefix, operationTimeoutMs: 50 });
    const other = connect({ url: flaky.url, keyPrefix });
    await cache.set('key', 'old', 60, ['tag']);
    await cache.set('deleted', 'old');
    await other.mget(['key', 'deleted']);
    flaky.pause();
    await cache.invalidateByTags(['tag']);
    await cache.delete('deleted');
    flaky.resume();
    expect(await cache.mget(['key', 'deleted'])).toEqual([undefined, undefined]);
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    expect(await cache.mget(['key', 'deleted'])).toEqual([undefined, undefined]);
    await expect.poll(() => other.mget(['key', 'deleted'])).toEqual([undefined, undefined]);
  });

  it('clears everything after an outage with more than maxPendingInvalidations of them', async () => {
    await using flaky = await startRedisServer();
    const keyPrefix = newPrefix();
    const cache = connect({ url: flaky.url, keyPrefix, operationTimeoutMs: 50, maxPendingInvalidations: 2 });
    await cache.set('kept', 'old');
    flaky.pause();
    for (const key of ['a', 'b', 'c']) await cache.delete(key);
    expect(cache.getStats().redis).toMatchObject({ pendingOverflows: 1, pendingInvalidations: 1 });
    flaky.resume();
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    expect(await cache.get('kept')).toBeUndefined();
  });

  it('rejects with the failure when strict', async () => {
    await using away = await startRedisServer();
    const cache = connect({ url: away.url, strict: true });
    await cache.set('key', 1);
    await away.kill();
    await expect.poll(() => cache.health().redis?.state).toBe('reconnecting');
    const code = (work: Promise<unknown>) => work.catch((error: unknown) => DescribeError.is(error) && error.code);
    expect(await code(cache.get('absent'))).toBe('DESCRIBE_CACHE');
    expect(await code(cache.set('key', 1))).toBe('DESCRIBE_CACHE');
    expect(await code(cache.invalidateByTags(['tag']))).toBe('DESCRIBE_CACHE');
    expect(await code(cache.getOrSet('absent', () => 1))).toBe('DESCRIBE_CACHE');
  });
});

import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { RedisCache } from './redis-cache.ts';

describe.runIf(findRedisServer())('namespaces in Redis', () => {
  let server: RedisServer;
  let raw: Redis;
  const caches: RedisCache[] = [];
  beforeAll(async () => {
    server = await startRedisServer();
    raw = new Redis(server.url);
    for (let index = 0; index < 2; index += 1) {
      caches.push(new RedisCache({ url: server.url, keyPrefix: 'app:', operationTimeoutMs: 1_000 }));
    }
    await Promise.all(caches.map((cache) => cache.has('any')));
  });
  beforeEach(async () => {
    for (const cache of caches) await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
  });
  afterAll(async () => {
    await Promise.all(caches.map((cache) => cache.close()));
    raw.disconnect();
    await server.stop();
  });

  const both = (name: string) => caches.map((cache) => cache.namespace(name)) as [RedisCache, RedisCache];

  it('are the same on every process, and share one connection', async () => {
    const clients = async () => String(await raw.client('LIST')).split('\n').length;
    const before = await clients();
    const [here, there] = both('a');
    await here.set('key', 'value', { tags: ['tag'] });
    expect(await there.get('key')).toBe('value');
    expect(await caches[1]?.get('key')).toBeUndefined();
    expect(await both('b')[1].get('key')).toBeUndefined();
    expect(await there.mget(['key'])).toEqual(['value']);
    await there.invalidateByTags(['tag']);
    await expect.poll(() => here.get('key')).toBeUndefined();
    expect(await clients()).toBe(before);
  });

  it('are cleared alone, on every process', async () => {
    const [[aHere, aThere], [bHere, bThere]] = [both('a'), both('b')];
    const [here, there] = caches as [RedisCache, RedisCache];
    const all = [aHere, bHere, here];
    await Promise.all(all.map((one) => one.set('key', 1, { tags: ['tag'] })));
    expect(await Promise.all([aThere, bThere, there].map((one) => one.get('key')))).toEqual([1, 1, 1]);
    await aThere.clear();
    const held = () => Promise.all([aHere, aThere, bHere, bThere, here, there].map((one) => one.has('key')));
    await expect.poll(held).toEqual([false, false, true, true, true, true]);
    await bHere.purgeTags(['tag']);
    await expect.poll(held).toEqual([false, false, false, false, true, true]);
    await aHere.set('key', 1);
    await here.clear();
    await expect.poll(held).toEqual([false, false, false, false, false, false]);
  });

  it('make a value once for all processes, and keep to the prefix of the cache', async () => {
    const [here, there] = both('made');
    let calls = 0;
    const factory = async () => {
      calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return calls;
    };
    const made = await Promise.all([here, there, here].map((one) => one.getOrSet('key', factory, { tags: ['tag'] })));
    expect([made, calls]).toEqual([[1, 1, 1], 1]);
    const names = await raw.keys('*');
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect(name.startsWith('app:')).toBe(true);
  });

  it('hear of removals on other processes by their own names', async () => {
    const [here, there] = both('heard');
    const heard: unknown[] = [];
    here.on('invalidated', ({ by, keys, tags }) => heard.push([by, keys, tags]));
    await both('silent')[1].delete('key');
    await there.delete('key');
    await there.clear();
    await expect
      .poll(() => heard)
      .toEqual([
        ['another-process', ['key'], []],
        ['another-process', [], []],
      ]);
  });
});

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CacheError } from '../errors/cache-error.ts';
import { findRedisServer } from '../testing/redis-server.ts';
import { startRedisForCaches } from './redis-caches.fixture.ts';

const CHUNK = 'x'.repeat(65_536);

/** Answers a bulk read with one endless value, as fast as it is read, and everything else with OK. */
async function startEndlessServer() {
  const endless: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const pour = () => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    socket.on('data', (data: Buffer) => {
      const text = data.toString();
      for (const [, name] of text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (name?.toUpperCase() !== 'MGET') {
          socket.write(name?.toUpperCase() === 'INFO' ? '$9\r\nloading:0\r\n' : '+OK\r\n');
          continue;
        }
        endless.push(socket);
        socket.write('*1\r\n$400000000000\r\n');
        socket.on('drain', pour);
        pour();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const stop = () => {
    for (const socket of endless) socket.destroy();
    server.close();
  };
  return { port, endless, stop };
}

/** Breaks off at the first bulk read. It has one text and one tag version. */
async function startBreakingServer(text: string, version: string) {
  const bulk = (reply: string) => `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
  const answers: Readonly<Record<string, string>> = {
    INFO: bulk('loading:0'),
    GET: bulk(version),
    GETRANGE: bulk(text),
    SUBSCRIBE: `*3\r\n${bulk('subscribe')}${bulk('channel')}:1\r\n`,
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      for (const [, name = ''] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (name.toUpperCase() === 'MGET') {
          socket.end(`*1\r\n${bulk(text)}`);
          return;
        }
        socket.write(answers[name.toUpperCase()] ?? '+OK\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe.runIf(findRedisServer())('bulk reads', () => {
  const redis = startRedisForCaches();
  const { connect } = redis;

  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await redis.raw.info('stats'))?.[1]);

  it('answer in the order of their keys over many commands: holes, compressed values, lists, garbage, what is stale', async () => {
    const keyPrefix = 'many:';
    const [writer, reader] = [connect({ keyPrefix }), connect({ keyPrefix, tagTrustMs: 0 })];
    const keys = Array.from({ length: 1_000 }, (_, n) => `key${n}`);
    const madeOf = (n: number) => (n % 50 === 7 ? { n, text: 'long '.repeat(5_000) } : { n });
    await writer.mset(
      keys.flatMap((key, n) =>
        n % 10 === 1 ? [] : [{ key, data: madeOf(n), tags: n % 10 === 2 ? ['stale'] : ['kept', `t${n % 5}`] }],
      ),
    );
    await writer.invalidateByTags(['stale']);
    await redis.raw.set(`${keyPrefix}e:key3`, 'garbage');
    await redis.raw.del(`${keyPrefix}e:key4`);
    await redis.raw.rpush(`${keyPrefix}e:key4`, 'an item');
    const expected = keys.map((_, n) => (n % 10 === 1 || n % 10 === 2 || n === 3 || n === 4 ? undefined : madeOf(n)));
    expect(await reader.mget(keys)).toEqual(expected);
    // Memory holds them now, and Redis is asked all the same.
    expect(await reader.mget([...keys].reverse())).toEqual([...expected].reverse());
    expect(reader.getStats()).toMatchObject({ rejectedEntries: 1, redisHits: 2 * 798 });
    await expect.poll(() => redis.raw.exists(`${keyPrefix}e:key3`)).toBe(0);
  });

  it('hold each value under its own key though the list of keys changes meanwhile', async () => {
    const keyPrefix = 'changed:';
    const [writer, reader] = [connect({ keyPrefix }), connect({ keyPrefix, tagTrustMs: 60_000 })];
    await writer.mset(['first', 'second'].map((key) => ({ key, data: key })));
    await reader.get('warm');
    await expect.poll(() => reader.health().redis?.subscribed).toBe(true);
    await reader.get('warm');
    const keys = ['first', 'second'];
    const reading = reader.mget(keys);
    keys.reverse();
    expect(await reading).toEqual(['first', 'second']);
    expect(await reader.getWithSource('first')).toEqual({ value: 'first', source: 'memory' });
    expect(await reader.getWithSource('second')).toEqual({ value: 'second', source: 'memory' });
  });

  it('larger than memory give values alone: frozen, fresh, valid ones', async () => {
    const keyPrefix = 'alone:';
    const writer = connect({ keyPrefix });
    const reader = connect({ keyPrefix, memory: { maxEntries: 1 } });
    const keys = ['first', 'old', 'broken', 'failed', 'tagged', 'list', 'last'];
    for (const key of keys) await writer.set(key, { key, inner: [{ key }] }, 3_600, [`of-${key}`]);
    await writer.getOrSet('old', () => 'old', { forceRefresh: true, ttlSeconds: 0.001, graceSeconds: 60 });
    const fail = () => Promise.reject(new CacheError('gone'));
    const remembered = { forceRefresh: true, negativeTtlSeconds: () => 60 };
    await expect(writer.getOrSet('failed', fail, remembered)).rejects.toThrow('gone');
    const text = String(await redis.raw.get(`${keyPrefix}e:broken`));
    await redis.raw.set(`${keyPrefix}e:broken`, text.slice(0, -1));
    const made = (key: string) => ({ key, inner: [{ key }] });
    const given = keys.map((key) => (['old', 'broken', 'failed'].includes(key) ? undefined : made(key)));
    // Once with versions asked for, once with versions known.
    for (const rejected of [1, 1]) {
      const values = await reader.mget<ReturnType<typeof made>>(keys);
      expect(values).toEqual(given);
      expect(values[0]?.inner.every(Object.isFrozen)).toBe(true);
      expect(reader.getStats().rejectedEntries).toBe(rejected);
    }
    await expect.poll(() => redis.raw.exists(`${keyPrefix}e:broken`)).toBe(0);
    await redis.raw.set(`${keyPrefix}e:list`, text.replace('{', '['));
    await writer.invalidateByTags(['of-tagged']);
    const left = given.map((value) => (value?.key === 'tagged' || value?.key === 'list' ? undefined : value));
    await expect.poll(() => reader.mget(keys)).toEqual(left);
    expect(reader.getStats()).toMatchObject({ rejectedEntries: 2, memory: { entries: 0 } });
  });

  it('ask for lengths first after one that brought a value too large', async () => {
    const keyPrefix = 'large:';
    const cache = connect({ keyPrefix, maxValueBytes: 4_096, tagTrustMs: 0 });
    await cache.set('small', 1);
    const plant = () => redis.raw.setrange(`${keyPrefix}e:large`, 8_000_000, 'x');
    const read = () => cache.mget(['large', 'small']);
    await plant();
    expect(await read()).toEqual([undefined, 1]);
    await expect.poll(() => redis.raw.exists(`${keyPrefix}e:large`)).toBe(0);
    await plant();
    const before = await sent();
    expect(await read()).toEqual([undefined, 1]);
    expect((await sent()) - before).toBeLessThan(100_000);
    expect(cache.health().status).toBe('healthy');
  });

  it('of a purge take the heads of entries only, however large their values or long their tags are', async () => {
    const keyPrefix = 'purge:';
    const cache = connect({ keyPrefix, compressAboveBytes: 10_000_000 });
    const tags = ['doomed', ...Array.from({ length: 20 }, (_, n) => `${n}${'x'.repeat(2_000)}`)];
    await cache.set('large', 'x'.repeat(4_000_000), 60, ['doomed']);
    await cache.set('many tags', 1, 60, tags);
    await cache.set('kept', 'x'.repeat(4_000_000), 60, ['other']);
    const before = await sent();
    expect(await cache.purgeTags(['doomed'])).toBe(2);
    expect((await sent()) - before).toBeLessThan(200_000);
    expect((await redis.raw.keys(`${keyPrefix}e:*`)).sort()).toEqual([`${keyPrefix}e:kept`]);
  });

  it('wait for what is decompressed when the rest is lost, and change nothing after they have answered', async () => {
    const keyPrefix = 'broken:';
    await connect({ keyPrefix }).set('key0', { text: 'x'.repeat(6_000_000) });
    const text = (await redis.raw.get(`${keyPrefix}e:key0`)) ?? '';
    const version = (await redis.raw.get(`${keyPrefix}t:`)) ?? '';
    const { server: breaking, port } = await startBreakingServer(text, version);
    const cache = connect({ url: `redis://127.0.0.1:${port}`, tagTrustMs: 60_000 });
    await cache.get('first');
    // From then on, the versions are trusted.
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    await cache.get('other');
    const keys = Array.from({ length: 700 }, (_, n) => `key${n}`);
    const values = await cache.mget(keys);
    expect(values[0]).toMatchObject({ text: expect.any(String) });
    expect(cache.getStats()).toMatchObject({ redisHits: 3, misses: 699 });
    breaking.close();
  });

  it('give up what goes on arriving after their time is over, and connect anew', async () => {
    const hostile = await startEndlessServer();
    const cache = connect({ url: `redis://127.0.0.1:${hostile.port}`, operationTimeoutMs: 100 });
    await cache.get('warm');
    expect(await cache.mget(['a', 'b'])).toEqual([undefined, undefined]);
    await expect.poll(() => hostile.endless[0]?.destroyed).toBe(true);
    await expect.poll(() => cache.health().redis?.state).toBe('ready');
    // From now on, bulk reads ask for lengths first.
    await cache.mget(['a', 'b']);
    expect(hostile.endless).toHaveLength(1);
    hostile.stop();
  });
});

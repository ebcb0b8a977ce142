import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { Cacheable } from 'cacheable';
import { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RedisCache } from '../src/redis-cache/index.ts';
import { type RedisServer, startRedisServer } from '../src/testing/redis-server.ts';
import { defineSuite, type Gate, median } from './harness/index.ts';

const description = {
  description: 'A ginger cat sleeps on a windowsill beside a potted fern, with rain on the glass behind it.',
  model: 'gpt-4.1-mini',
  usage: { inputTokens: 512, outputTokens: 41 },
};

const memoryGet = defineSuite({
  name: 'redis-cache: get from memory, an entry with two tags',
  baseline: 'lru-cache, awaited',
  setup: async () => {
    const lru = new LRUCache<string, object>({ max: 1_000 });
    const ours = new RedisCache();
    const bento = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 1_000, serialize: false })) },
    });
    const cacheable = new Cacheable();
    lru.set('key', description);
    await ours.set('key', description, 3_600, ['model', 'album']);
    await bento.set({ key: 'key', value: description, ttl: '1h', tags: ['model', 'album'] });
    await cacheable.set('key', description, { ttl: 3_600_000, tags: ['model', 'album'] } as never);
    return { lru, ours, bento, cacheable };
  },
  teardown: async ({ ours, bento, cacheable }) => {
    await Promise.all([ours.close(), bento.disconnectAll(), cacheable.disconnect()]);
  },
  contenders: {
    'lru-cache, awaited': async ({ lru }) => lru.get('key'),
    ours: ({ ours }) => ours.get('key'),
    'bentocache, not serialised': ({ bento }) => bento.get({ key: 'key' }),
    cacheable: ({ cacheable }) => cacheable.get('key'),
  },
  verify: (value) => (value as typeof description).model === description.model,
  gates: {
    ours: [
      { maxRatio: 3 },
      { versus: 'bentocache, not serialised', maxRatio: 0.5 },
      { versus: 'cacheable', maxRatio: 0.1 },
    ],
  },
});

const MANY = 1_000;
const names = Array.from({ length: MANY }, (_, index) => `key${index}`);

const mgetSuite = (name: string, fill: (cache: RedisCache) => Promise<unknown>, gate: Gate) =>
  defineSuite({
    name: `redis-cache: mget of 1,000 from Redis, ${name}`,
    baseline: 'ioredis MGET and JSON.parse',
    setup: async () => {
      const server: RedisServer = await startRedisServer();
      const raw = new Redis(server.url);
      await raw.mset(names.flatMap((key) => [`raw:${key}`, JSON.stringify(description)]));
      // One entry of memory: every other is new to the process each time, and decoded.
      const memory = { maxEntries: 1 };
      const ours = new RedisCache({ url: server.url, operationTimeoutMs: 5_000, memory });
      await fill(ours);
      return { server, raw, ours };
    },
    teardown: async ({ server, raw, ours }) => {
      await ours.close();
      raw.disconnect();
      await server.stop();
    },
    contenders: {
      'ioredis MGET and JSON.parse': async ({ raw }) => {
        const texts = await raw.mget(names.map((key) => `raw:${key}`));
        return texts.map((text): unknown => (text === null ? undefined : JSON.parse(text)));
      },
      ours: ({ ours }) => ours.mget(names),
    },
    verify: (values) => {
      const list = values as (typeof description)[];
      return list.length === MANY && list.every((value) => value.model === description.model);
    },
    gates: { ours: gate },
  });

// The goal is 1.25, about reached while nothing else runs, for decoding then goes on while Redis works; on a machine
// that is full the commands wait for their turns, and it takes up to twice as long as the bare one. An entry takes about
// 0.15 µs more than its JSON.parse for its head, 0.09 to freeze it, and 0.2 for what is transferred and looked up beside.
const madeTogether = mgetSuite(
  'made together',
  (cache) => cache.mset(names.map((key) => ({ key, data: description, tags: ['model'] }))),
  { maxRatio: 2.2, maxCpuRatio: 2.4 },
);

// Times and lifetimes that all differ take longer to read.
const madeApart = mgetSuite(
  'made apart',
  async (cache) => {
    for (const key of names) await cache.getOrSet(key, () => description, { tags: ['model'] });
  },
  { maxRatio: 2.4, maxCpuRatio: 2.8 },
);

const SIZES = { few: 10, many: 100_000 };

const invalidate = defineSuite({
  name: 'redis-cache: invalidate a tag',
  baseline: 'on 10 entries',
  setup: async () => {
    const server: RedisServer = await startRedisServer();
    const cache = new RedisCache({ url: server.url, operationTimeoutMs: 5_000 });
    for (const [tag, size] of Object.entries(SIZES)) {
      for (let start = 0; start < size; start += MANY) {
        const length = Math.min(MANY, size - start);
        await cache.mset(
          Array.from({ length }, (_, n) => ({ key: `${tag}${start + n}`, data: n, tags: [tag] })),
        );
      }
    }
    return { server, cache };
  },
  teardown: async ({ server, cache }) => {
    await cache.close();
    await server.stop();
  },
  contenders: {
    'on 10 entries': { sample: ({ cache }) => timeInvalidation(cache, 'few') },
    'on 100,000 entries': { sample: ({ cache }) => timeInvalidation(cache, 'many') },
  },
  gates: { 'on 100,000 entries': 1.5 },
});

async function timeInvalidation(cache: RedisCache, tag: string) {
  const times: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    // Gives the tag a version again, so that there is one to remove.
    await cache.set(`${tag}0`, round, 3_600, [tag]);
    const startedAtMs = performance.now();
    await cache.invalidateByTags([tag]);
    times.push(performance.now() - startedAtMs);
    if ((await cache.get(`${tag}0`)) !== undefined) throw new Error('an invalidated entry was read');
  }
  return { value: median(times) };
}

export const suites = [memoryGet, madeTogether, madeApart, invalidate];

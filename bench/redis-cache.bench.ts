import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
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
  name: 'cache operations: get from memory, an entry with two tags',
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
      { versus: 'bentocache, not serialised', maxRatio: 0.25 },
      { versus: 'cacheable', maxRatio: 0.1 },
    ],
  },
});

const ALBUM = Array.from({ length: 64 }, (_, index) => `key ${index}`);

/** Each run takes the next key, and all of them are in memory. */
const getOrSet = defineSuite({
  name: 'cache operations: getOrSet of an entry in memory',
  baseline: 'bentocache, not serialised',
  setup: async () => {
    const ours = new RedisCache();
    const bento = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 1_000, serialize: false })) },
    });
    const cacheable = new Cacheable();
    let made = 0;
    const factory = () => {
      made += 1;
      return description;
    };
    let turn = 0;
    const nextKey = () => {
      turn += 1;
      return ALBUM[turn % ALBUM.length] ?? '';
    };
    const run = {
      ours: () => ours.getOrSet(nextKey(), factory),
      bento: () => bento.getOrSet({ key: nextKey(), factory, ttl: '1h' }),
      cacheable: () => cacheable.getOrSet(nextKey(), async () => factory(), { ttl: 3_600_000 }),
    };
    for (const fill of Object.values(run)) for (const _ of ALBUM) await fill();
    return { ours, bento, cacheable, run, made: () => made };
  },
  teardown: async ({ ours, bento, cacheable, made }) => {
    await Promise.all([ours.close(), bento.disconnectAll(), cacheable.disconnect()]);
    if (made() !== 3 * ALBUM.length) throw new Error(`${made()} entries were made, and not one for each key and cache`);
  },
  contenders: {
    'bentocache, not serialised': ({ run }) => run.bento(),
    cacheable: ({ run }) => run.cacheable(),
    ours: ({ run }) => run.ours(),
  },
  verify: (value) => (value as typeof description).model === description.model,
  gates: { ours: [{ maxRatio: 0.5 }, { versus: 'cacheable', maxRatio: 0.5 }] },
});

/** The cost of a description that no process has in memory. */
const getFromRedis = defineSuite({
  name: 'cache operations: get from Redis',
  baseline: 'ioredis GET and JSON.parse',
  setup: async () => {
    const server: RedisServer = await startRedisServer();
    const raw = new Redis(server.url);
    // Memory with a capacity of one entry, which is never the one that is read.
    const ours = new RedisCache({ url: server.url, operationTimeoutMs: 5_000, memory: { maxEntries: 1 } });
    const bentoRedis = new Redis(server.url);
    const bento = new BentoCache({
      default: 'redis',
      stores: { redis: bentostore().useL2Layer(redisDriver({ connection: bentoRedis as never })) },
    });
    await raw.set('raw:key', JSON.stringify(description));
    await ours.set('key', description);
    await ours.set('the one in memory', description);
    await bento.set({ key: 'key', value: description, ttl: '1h' });
    return { server, raw, ours, bento, bentoRedis };
  },
  teardown: async ({ server, raw, ours, bento, bentoRedis }) => {
    const { memoryHits } = ours.getStats();
    await ours.close();
    await bento.disconnectAll();
    bentoRedis.disconnect();
    raw.disconnect();
    await server.stop();
    if (memoryHits > 1) throw new Error(`${memoryHits} values came from memory`);
  },
  contenders: {
    'ioredis GET and JSON.parse': async ({ raw }) => JSON.parse((await raw.get('raw:key')) ?? 'null') as unknown,
    bentocache: ({ bento }) => bento.get({ key: 'key' }),
    // Two keys in turn, so that neither is the one that memory has kept.
    ours: {
      operations: 2,
      run: async ({ ours }) => {
        await ours.get('the one in memory');
        return ours.get('key');
      },
    },
  },
  verify: (value) => (value as typeof description).model === description.model,
  gates: { ours: { versus: 'bentocache', maxRatio: 2 } },
});

const MANY = 1_000;
const names = Array.from({ length: MANY }, (_, index) => `key${index}`);
const otherNames = names.map((name) => `other-${name}`);

const AT_A_TIME = 20;
const ENTRY_PREFIX = 'describe_it:e:';

interface MgetCase {
  readonly fill: (cache: RedisCache) => Promise<unknown>;
  readonly gates: readonly Gate[];
  /** Sets of keys, read in turn, so that memory with a capacity of `maxEntries` never holds the ones that are read. */
  readonly turns?: readonly (readonly string[])[];
  readonly maxEntries?: number;
}

const SAME_TEXTS = 'the same texts, parsed and frozen';

/** The value of a stored text: the payload after the line with its times and tags. */
const frozenPayload = (text: string): unknown => freeze(JSON.parse(text.slice(text.indexOf('\n') + 1)));

function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}

const mgetSuite = (name: string, { fill, gates, turns = [names], maxEntries = 1 }: MgetCase) =>
  defineSuite({
    name: `cache operations: mget of 1,000 from Redis, ${name}`,
    baseline: 'ioredis MGET and JSON.parse',
    floors: [SAME_TEXTS],
    setup: async () => {
      const server: RedisServer = await startRedisServer();
      const raw = new Redis(server.url);
      await raw.mset(names.flatMap((key) => [`raw:${key}`, JSON.stringify(description)]));
      const ours = new RedisCache({ url: server.url, operationTimeoutMs: 5_000, memory: { maxEntries } });
      await fill(ours);
      // Memory has a capacity of one entry, which is none of those that are read.
      if (maxEntries === 1) await ours.set('the one in memory', description);
      return { server, raw, ours, turn: 0 };
    },
    teardown: async ({ server, raw, ours }) => {
      const { memoryHits } = ours.getStats();
      await ours.close();
      raw.disconnect();
      await server.stop();
      if (memoryHits > 0) throw new Error(`${memoryHits} values came from memory`);
    },
    contenders: {
      'ioredis MGET and JSON.parse': async ({ raw }) => {
        const texts = await raw.mget(names.map((key) => `raw:${key}`));
        return texts.map((text): unknown => (text === null ? undefined : JSON.parse(text)));
      },
      [SAME_TEXTS]: async ({ raw }) => {
        const texts = await raw.mget(names.map((key) => `${ENTRY_PREFIX}${key}`));
        return texts.map((text) => (text === null ? undefined : frozenPayload(text)));
      },
      ours: (context) => {
        context.turn += 1;
        return context.ours.mget(turns[context.turn % turns.length] ?? names);
      },
    },
    verify: (values) => {
      const list = values as (typeof description)[];
      return list.length === MANY && list.every((value) => value.model === description.model);
    },
    gates: { ours: gates },
  });

const setAll = (cache: RedisCache, keys: readonly string[]) =>
  cache.mset(keys.map((key) => ({ key, data: description, tags: ['model'] })));

/**
 * The bare `MGET` does less than `mget` promises. A stored text is twice as long, for its times and the versions of its
 * tags, and its value is frozen: that alone takes 1.2 to 1.3 times as long. What the cache adds has a gate of its own.
 */
const madeTogether = mgetSuite('made together', {
  fill: (cache) => setAll(cache, names),
  gates: [
    { maxRatio: 1.75, maxCpuRatio: 2 },
    { versus: SAME_TEXTS, maxRatio: 1.4, maxCpuRatio: 1.4 },
  ],
});

// Times and lifetimes that all differ take longer to read.
const madeApart = mgetSuite('made apart', {
  fill: async (cache) => {
    const make = (key: string) => cache.getOrSet(key, () => description, { tags: ['model'] });
    // Few at a time, because each process fills its Redis anew.
    for (let start = 0; start < MANY; start += AT_A_TIME) {
      await Promise.all(names.slice(start, start + AT_A_TIME).map(make));
    }
  },
  gates: [{ maxRatio: 1.6, maxCpuRatio: 2.2 }],
});

// The bare one keeps nothing: what this takes more is for entries that the next read finds in memory.
const intoMemory = mgetSuite('into memory', {
  fill: async (cache) => {
    await setAll(cache, names);
    await setAll(cache, otherNames);
  },
  gates: [{ maxRatio: 2.2, maxCpuRatio: 2.6 }],
  turns: [otherNames, names],
  maxEntries: MANY,
});

const SIZES = { few: 10, many: 100_000 };

const invalidate = defineSuite({
  name: 'cache operations: invalidate a tag',
  baseline: 'on 10 entries',
  kind: 'growth',
  rounds: 5,
  setup: async () => {
    const server: RedisServer = await startRedisServer();
    const cache = new RedisCache({ url: server.url, operationTimeoutMs: 5_000 });
    for (const [tag, size] of Object.entries(SIZES)) {
      for (let start = 0; start < size; start += MANY) {
        const length = Math.min(MANY, size - start);
        await cache.mset(Array.from({ length }, (_, n) => ({ key: `${tag}${start + n}`, data: n, tags: [tag] })));
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

export const suites = [memoryGet, getOrSet, getFromRedis, madeTogether, madeApart, intoMemory, invalidate];

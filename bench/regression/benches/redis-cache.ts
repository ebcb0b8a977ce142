import { RedisCache } from '@describe-it/sdk/redis-cache';
import { defineBench } from '../define-bench.ts';

const READS = 50;
const MANY = 100;

const description = {
  description: 'A ginger cat sleeps on a windowsill beside a potted fern, with rain on the glass behind it.',
  model: 'gpt-4.1-mini',
  usage: { inputTokens: 512, outputTokens: 41 },
};
const names = Array.from({ length: MANY }, (_, index) => `key${index}`);
const isDescription = (value: unknown) => (value as typeof description | undefined)?.model === description.model;

export const benches = [
  defineBench({
    name: 'cache operations: get from memory',
    operations: READS,
    setup: async () => {
      const cache = new RedisCache();
      await cache.set('key', description, 3_600, ['model', 'album']);
      return cache;
    },
    run: async (cache) => {
      let good = 0;
      for (let index = 0; index < READS; index += 1) if (isDescription(await cache.get('key'))) good += 1;
      return good;
    },
    verify: (good) => good === READS,
    count: (cache) => cache.getStats().memoryHits,
    memory: {
      count: 1_000,
      make: (cache, index) => cache.set(`entry ${index}`, { ...description, index }, 3_600, ['model']),
    },
    teardown: (cache) => cache.close(),
  }),
  defineBench({
    name: 'cache operations: getOrSet, a miss into memory',
    operations: READS,
    setup: () => ({ cache: new RedisCache({ memory: { maxEntries: 1_000 } }), turn: 0 }),
    run: async (context) => {
      let good = 0;
      for (let index = 0; index < READS; index += 1) {
        context.turn += 1;
        const value = await context.cache.getOrSet(`key ${context.turn}`, () => description, { tags: ['model'] });
        if (isDescription(value)) good += 1;
      }
      return good;
    },
    verify: (good) => good === READS,
    count: ({ cache }) => cache.getStats().factoryCalls,
    teardown: ({ cache }) => cache.close(),
  }),
  defineBench({
    name: `cache operations: mget of ${MANY} from Redis`,
    needs: ['redis'],
    clock: 'wall',
    operations: MANY,
    setup: async ({ redis = '' }) => {
      // Memory has a capacity of one entry, which is none of those that are read.
      const cache = new RedisCache({ url: redis, operationTimeoutMs: 10_000, memory: { maxEntries: 1 } });
      await cache.mset(names.map((key) => ({ key, data: description, tags: ['model'] })));
      await cache.set('the one in memory', description);
      return cache;
    },
    run: (cache) => cache.mget(names),
    verify: (values) => Array.isArray(values) && values.length === MANY && values.every(isDescription),
    count: (cache) => cache.getStats().redisHits,
    teardown: (cache) => cache.close(),
  }),
];

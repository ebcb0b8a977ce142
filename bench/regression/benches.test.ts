import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.ts';
import type { PreparedContender } from '../harness/suite.ts';
import type { RunChange, ServiceUrls } from './define-bench.ts';
import { findBenches } from './engine/find-benches.ts';
import { measureRun } from './process/measure-run.ts';
import { type RunningServices, startServices } from './process/services.ts';

const found = await findBenches();
const plan = { warmUpRuns: 5, runsPerSample: 1, samples: 2 };

let services: RunningServices;
let redis: RedisServer;
let urls: ServiceUrls;

beforeAll(async () => {
  services = await startServices(new Set(['openai']));
  redis = await startRedisServer();
  urls = { ...services.urls, redis: redis.url };
});

afterAll(async () => {
  await services.stop();
  await redis.stop();
});

type Timed = Extract<PreparedContender, { kind: 'timed' }>;

describe.each(found.filter(({ bench }) => !bench.name.startsWith('import cost')))('$bench.name', ({ bench }) => {
  const measured = async (change?: RunChange) => {
    const { contenders, teardown } = await bench.suite(urls, change).prepare();
    try {
      return await measureRun(contenders[0] as Timed, plan);
    } finally {
      await teardown();
    }
  };

  it('does its work, and the product has counted it', async () => {
    expect(await measured()).toEqual({ cpu: expect.any(Number), wall: expect.any(Number) });
  });

  it('fails on an operation that does nothing', async () => {
    await expect(measured(() => () => undefined)).rejects.toThrow(/the result is wrong/);
  });

  it('fails on an operation that gives the right value again without the work', async () => {
    let first: unknown;
    const once: RunChange = (run) => () => {
      first ??= run();
      return first;
    };
    await expect(measured(once)).rejects.toThrow(/operations were counted|the result is wrong/);
  });

  if (bench.measuresMemory) {
    it('keeps the objects whose memory it measures', async () => {
      const heaps = [1_000_000, 3_000_000];
      expect(await bench.measureMemory(urls, () => heaps.shift() ?? 0)).toBe(2_000);
    });
  }
});

it('covers each primitive and the whole path, by the names of the user guide', () => {
  const names = found.map(({ bench }) => bench.name);
  expect(new Set(names).size).toBe(names.length);
  const topics = ['connection pool', 'cache operations', 'batch processor', 'circuit breaker', 'resource pool'];
  for (const topic of [...topics, 'performance monitor', 'routing', 'describe client', 'import cost']) {
    expect(names.some((name) => name.startsWith(`${topic}: `))).toBe(true);
  }
});

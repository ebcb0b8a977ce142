import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisCache } from '../redis-cache/index.ts';
import { whenConnected } from '../redis-cache/when-connected.fixture.ts';
import { createTestImage, describeImageFacts, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

const image = createTestImage({ seed: 21 });
/** Nothing listens there. A port that is only free now may be taken by another test. */
const NO_SERVER = 1;
let server: FakeOpenAI;
const open: DescribeClient[] = [];

beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.destroy()));
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions = {}) => {
  const heard: unknown[] = [];
  const hear = (fields: object) => void heard.push(fields);
  const logger = { debug: hear, info: hear, warn: hear, error: hear };
  const { apiKey, baseURL } = server;
  const client = createDescribeClient({ apiKey, baseURL, pool: { min: 1, max: 2 }, logger, ...options });
  open.push(client);
  return { client, heard };
};

describe('a client whose Redis was never there', () => {
  const reason = 'Redis was never reached (ECONNREFUSED)';

  it('describes, tells its logger once, and says why in its health', async () => {
    const { client, heard } = start({ redis: `redis://127.0.0.1:${NO_SERVER}` });
    for (const prompt of ['1', '2', '3']) await client.describe(image, { prompt });
    await expect.poll(() => client.cache?.health().redis?.failedReconnects).toBeGreaterThan(3);
    expect(heard).toEqual([{ reason }]);
    expect((await client.health()).parts['cache']).toEqual({ status: 'unhealthy', reason });
  });

  it('hears of a cache that it was given, as long as it is open', async () => {
    const cache = new RedisCache({ port: NO_SERVER });
    const [one, other] = [start({ cache }), start({ cache })];
    await other.client.close();
    await one.client.describe(image);
    await expect.poll(() => one.heard).toEqual([{ reason }]);
    expect(other.heard).toEqual([]);
    await cache.close();
  });
});

describe.runIf(findRedisServer())('a Redis that somebody else writes to', () => {
  let redis: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    redis = await startRedisServer();
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await redis.stop();
  });

  it.each([
    '{}',
    '5',
    'null',
    '[]',
    '"text"',
    '{"description":{"a":1},"model":7}',
    '{"description":"","model":"m"}',
    '{"description":"text"}',
    '{"model":"m"}',
  ])('never makes %s a description', async (payload) => {
    await admin.flushall();
    const connected = async () => {
      const { client } = start({ redis: redis.url, cache: { operationTimeoutMs: 5_000 } });
      if (client.cache !== undefined) await whenConnected(client.cache);
      return client;
    };
    const writer = await connected();
    await writer.describe(image);
    const [key = ''] = await admin.keys('describe_it:e:*');
    const [head = ''] = ((await admin.get(key)) ?? '').split('\n');
    await admin.set(key, `${head.replace(/^\S+/, 'AAAAAAAA1')}\n${payload}`, 'PX', 60_000);
    const reader = await connected();
    await expect(reader.describe(image, { cache: 'only-if-cached' })).rejects.toMatchObject({
      code: 'DESCRIBE_CACHE_MISS',
    });
    const right = { description: describeImageFacts(image) };
    await expect(reader.describe(image)).resolves.toMatchObject({ ...right, source: 'upstream' });
    // A reader whose subscription has just begun asks Redis once more.
    const source = expect.stringMatching(/^(memory|redis)$/);
    await expect(reader.describe(image)).resolves.toMatchObject({ ...right, source });
    await expect((await connected()).describe(image)).resolves.toMatchObject({ ...right, source: 'redis' });
  });
});

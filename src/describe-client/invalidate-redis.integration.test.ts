import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { whenConnected } from '../redis-cache/when-connected.fixture.ts';
import { type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';

const coffee = readFileSync(new URL('../../examples/images/coffee.png', import.meta.url));
const ifCached = { tags: ['album'], cache: 'only-if-cached' } as const;

let server: FakeOpenAI;
let redis: RedisServer;
const open: DescribeClient[] = [];

/** Redis gets more time than it needs, because other processes may keep the cores busy. */
const start = async (cache: object = {}): Promise<DescribeClient> => {
  const { apiKey, baseURL } = server;
  const client = createDescribeClient({
    apiKey,
    baseURL,
    pool: { min: 1, max: 8 },
    redis: redis.url,
    cache: { operationTimeoutMs: 2_000, ...cache },
  });
  open.push(client);
  if (client.cache !== undefined) await whenConnected(client.cache);
  return client;
};

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );

describe.runIf(findRedisServer())('an invalidation by a client with Redis', () => {
  beforeAll(async () => {
    [server, redis] = await Promise.all([startFakeOpenAI(), startRedisServer()]);
  });
  afterEach(async () => {
    redis.resume();
    await Promise.all(open.splice(0).map((client) => client.destroy()));
  });
  afterAll(() => Promise.all([redis.stop(), server.close()]));

  it('reaches the other processes', async () => {
    const [one, other] = [await start(), await start()];
    await one.describe(coffee);
    await expect(other.describe(coffee)).resolves.toMatchObject({ source: 'redis' });
    await one.invalidate(coffee);
    await expect.poll(async () => codeOf(other.describe(coffee, ifCached))).toBe('DESCRIBE_CACHE_MISS');
  });

  it('reaches Redis before the client has closed, of an image and of a tag', async () => {
    const one = await start({ tagTrustMs: 0 });
    const ways: ((client: DescribeClient) => Promise<void>)[] = [
      (client) => client.invalidate(coffee),
      (client) => client.invalidateTags(['album']),
    ];
    for (const invalidateBy of ways) {
      await one.describe({ image: coffee, tags: ['album'] });
      const other = await start();
      const invalidated = invalidateBy(other);
      await other.close();
      await invalidated;
      expect(await codeOf(one.describe(coffee, ifCached))).toBe('DESCRIBE_CACHE_MISS');
    }
  });

  it('rejects where the client is destroyed before Redis has heard of it', async () => {
    const client = await start({ operationTimeoutMs: 20_000 });
    await client.describe(coffee);
    redis.pause();
    const invalidated = [codeOf(client.invalidate(coffee)), codeOf(client.invalidateTags(['album']))];
    await expect.poll(() => client.cache?.getStats().removals).toBe(1);
    const destroyed = client.destroy('enough');
    expect(await Promise.all(invalidated)).toEqual(['enough', 'enough']);
    redis.resume();
    await destroyed;
  });

  it('waits for a Redis that hangs no longer than it may', async () => {
    const client = await start({ operationTimeoutMs: 20_000 });
    await client.describe(coffee);
    redis.pause();
    expect(await codeOf(client.invalidate(coffee, { timeoutMs: 20 }))).toBe('DESCRIBE_TIMEOUT');
    const controller = new AbortController();
    const invalidated = codeOf(client.invalidate(coffee, { signal: controller.signal }));
    await expect.poll(() => client.cache?.getStats().removals).toBe(2);
    controller.abort('enough');
    expect(await invalidated).toBe('enough');
  });

  it('is made up for when Redis was away, and fails only where that was asked for', async () => {
    const [one, other, strict] = [await start(), await start({ tagTrustMs: 0 }), await start({ strict: true })];
    for (const client of [one, other, strict]) await client.describe(coffee);
    redis.pause();
    expect(await codeOf(one.invalidate(coffee))).toBe('fulfilled');
    expect(await codeOf(strict.invalidate(coffee, { prompt: 'Which colours?' }))).toBe('DESCRIBE_CACHE');
    redis.resume();
    await expect.poll(async () => codeOf(other.describe(coffee, ifCached))).toBe('DESCRIBE_CACHE_MISS');
  });
});

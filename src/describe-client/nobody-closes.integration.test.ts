import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDescribeClient, RedisCache, ResourcePool } from '../index.ts';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { answer, cleanUp, cleanups, startServer } from '../openai/pool/openai-connection-pool.fixture.ts';
import { createTestImage, startRedisServer } from '../testing/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const image = createTestImage({ seed: 1 });
const CHECK_OFTEN = { healthCheckInterval: 20 };

/** Waits some turns of the loop, in which garbage is collected and finalizers run. */
async function turnsOfCollection(turns = 3) {
  for (let turn = 0; turn < turns; turn += 1) {
    collectGarbage();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/**
 * The value of `count` once garbage was collected. Not a closure of a test, which could hold what is to be collected.
 */
const afterCollection = (count: () => number | Promise<number>) =>
  expect.poll(async () => {
    await turnsOfCollection();
    return count();
  });

let server: Awaited<ReturnType<typeof startServer>>;

beforeEach(async () => {
  server = await startServer();
});

afterEach(cleanUp);

describe('what nobody closes and nobody can reach', () => {
  it('is a client: its sockets close and its checks end', async () => {
    const useOne = async () => {
      const client = createDescribeClient({ apiKey: 'k', baseURL: server.baseURL, pool: CHECK_OFTEN });
      await client.describe({ image });
    };
    for (let client = 0; client < 5; client += 1) await useOne();
    expect(server.sockets.size).toBeGreaterThan(0);
    await afterCollection(() => server.sockets.size).toBe(0);
  });

  it('is a connection pool, whose lease was released', async () => {
    const useOne = async () => {
      const pool = new OpenAIConnectionPool('k', server.baseURL, CHECK_OFTEN);
      const { client, release } = await pool.acquire();
      await client.models.list();
      release();
    };
    await useOne();
    await afterCollection(() => server.sockets.size).toBe(0);
  });

  it('is a resource pool: its resources are destroyed', async () => {
    const destroyed: number[] = [];
    const useOne = async () => {
      const factory = { create: () => ({}), destroy: () => destroyed.push(1) };
      await new ResourcePool({ factory, minSize: 1 }).use(() => {});
    };
    await useOne();
    await afterCollection(() => destroyed.length).toBe(1);
  });

  it('is a cache: its connections to Redis close', async () => {
    const redis = await startRedisServer();
    cleanups.push(() => redis.stop());
    const counter = new Redis(redis.url);
    cleanups.push(() => counter.quit());
    const clients = async () =>
      String(await counter.client('LIST'))
        .trim()
        .split('\n').length;
    const before = await clients();
    const useOne = async () => {
      const cache = new RedisCache({ url: redis.url });
      await cache.set('a', 1);
    };
    for (let cache = 0; cache < 3; cache += 1) await useOne();
    expect(await clients()).toBeGreaterThan(before);
    await afterCollection(clients).toBe(before);
  });
});

describe('what somebody still uses is not cleaned up', () => {
  it('as a client of a lease, when its pool was dropped', async () => {
    const lend = async () => {
      const pool = new OpenAIConnectionPool('k', server.baseURL, { ...CHECK_OFTEN, min: 1, max: 1 });
      return (await pool.acquire()).client;
    };
    const client = await lend();
    await client.models.list();
    await turnsOfCollection();
    await client.models.list();
    expect(server.opened()).toBe(1);
  });

  it('as a wait for the only connection, whose lender was dropped', async () => {
    const lend = async () => {
      const pool = new OpenAIConnectionPool('k', server.baseURL, { min: 0, max: 1 });
      const { release } = await pool.acquire();
      return { release, waiting: pool.use((client) => client.models.list()) };
    };
    const { release, waiting } = await lend();
    await turnsOfCollection();
    release();
    expect((await waiting).data).toEqual([]);
  });

  it('as a wait that nobody else holds: it ends at its timeout', async () => {
    const wait = () => {
      const create = () => new Promise<never>(() => {});
      const pool = new ResourcePool({ factory: { create, destroy: () => {} }, acquireTimeoutMs: 50 });
      return pool.acquire().catch(({ code }: { readonly code: string }) => code);
    };
    const code = wait();
    await turnsOfCollection();
    expect(await code).toBe('DESCRIBE_POOL_TIMEOUT');
  });

  it('as a call in flight, whose client was dropped', async () => {
    const answers: (() => void)[] = [];
    const slow = await startServer((...exchange) => answers.push(() => answer(...exchange)));
    const describeOnce = () => createDescribeClient({ apiKey: 'k', baseURL: slow.baseURL }).describe({ image });
    const result = describeOnce();
    await expect.poll(() => answers.length).toBe(1);
    await turnsOfCollection();
    answers[0]?.();
    expect((await result).description).toBe('a cat');
  });
});

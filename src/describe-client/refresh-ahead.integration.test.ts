import { afterEach, describe, expect, it } from 'vitest';
import { describeImageFacts, findRedisServer, startRedisServer } from '../testing/index.ts';
import { image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();
const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled).toEqual([]));

/** Every read but the first of an entry is due. */
const cache = { defaultTTL: 5, refreshAheadRatio: 1, random: () => 1e-300, ttlJitterRatio: 0 };

/** A description is only refreshed where making it took time. */
const slow = { fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 30 } } } as const;

describe('a description that is refreshed ahead of its expiry', () => {
  it('is asked for in the background, counted, and billed to no call', async () => {
    server().setFaults([slow]);
    const client = start({ cache });
    const { usage } = await client.describe(image);
    await client.describe(image);
    const due = await client.describe(image);
    expect(due).toMatchObject({ source: 'memory', description: describeImageFacts(image), explain: { attempts: [] } });
    expect(due).not.toHaveProperty('usage');
    await expect.poll(() => server().seen().length, { timeout: 3_000 }).toBe(2);
    await expect
      .poll(() => client.stats().cache, { timeout: 3_000 })
      .toMatchObject({ aheadRefreshes: 1, factoryCalls: 2, misses: 1 });
    await expect.poll(() => client.stats().admission.calls, { timeout: 3_000 }).toBe(0);
    expect(client.stats().calls).toMatchObject({ succeeded: 3, failed: 0, active: 0 });
    const metrics = await client.metrics();
    const billed = /^describe_it_\S*tokens\S*total\{.*\} (\d+)/m.exec(metrics)?.[1];
    expect(Number(billed)).toBeGreaterThan(usage?.totalTokens ?? 0);
  });

  it('goes through retry; its failure reaches nobody, and the description stands', async () => {
    server().setFaults([slow]);
    const client = start({ cache, retry: { maxAttempts: 2, initialDelayMs: 1, maxDelayMs: 2 } });
    await client.describe(image);
    server().setFaults([{ fault: { kind: 'error', status: 500 } }]);
    await client.describe(image);
    await client.describe(image);
    await expect.poll(() => server().seen().length, { timeout: 3_000 }).toBe(3);
    await expect.poll(() => client.stats().cache, { timeout: 3_000 }).toMatchObject({ factoryFailures: 1 });
    await expect(client.describe(image)).resolves.toMatchObject({ source: 'memory' });
    expect(client.stats().calls).toMatchObject({ succeeded: 4, failed: 0 });
  });

  it('ends at once when the client is closed', async () => {
    server().setFaults([slow]);
    const client = start({ cache });
    await client.describe(image);
    server().setFaults([{ fault: { kind: 'hang' } }]);
    await client.describe(image);
    await client.describe(image);
    await expect.poll(() => server().seen().length, { timeout: 3_000 }).toBe(2);
    // Otherwise it would wait for the limit of an attempt, which is longer than that of this test.
    await client.close();
    expect(client.stats()).toMatchObject({ calls: { active: 0 }, admission: { calls: 0 } });
  }, 20_000);

  it('is off by default', async () => {
    server().setFaults([slow]);
    const client = start({ cache: { ...cache, refreshAheadRatio: undefined } });
    for (let index = 0; index < 4; index += 1) await client.describe(image);
    await pause(50);
    expect(server().seen().length).toBe(1);
  });
});

describe.runIf(findRedisServer())('descriptions in Redis', () => {
  it('are refreshed ahead by one of two clients', async () => {
    const redis = await startRedisServer();
    try {
      server().setFaults([slow]);
      const options = { cache, redis: redis.url };
      const other = start(options);
      const client = start(options);
      await client.describe(image);
      await Promise.all([other.describe(image), client.describe(image)]);
      await Promise.all([client, other, client, other].map((one) => one.describe(image)));
      await pause(300);
      const requests = server().seen().length;
      const ahead = [client, other].map((one) => one.stats().cache?.aheadRefreshes ?? 0);
      expect(ahead.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
      expect(requests).toBeGreaterThan(1);
      // One refresh an entry, whichever client began it.
      expect(requests).toBeLessThanOrEqual(3);
      await other.close();
      await client.close();
    } finally {
      await redis.stop();
    }
  });
});

import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { findRedisServer, startRedisServer } from '../testing/redis-server.ts';
import type { DescribeClientOptions } from './client-options.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { ClientWarmProgress } from './warm-cache.ts';

const photo = (name: string) => readFileSync(new URL(`../../examples/images/${name}`, import.meta.url));
const [coffee, rocket, chelsea] = [photo('coffee.png'), photo('rocket.jpg'), photo('chelsea.png')];

let server: FakeOpenAI;
const open: DescribeClient[] = [];

beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.destroy()));
  server.setFaults({ rules: [] });
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions = {}): DescribeClient => {
  const client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    pool: { min: 1, max: 8 },
    ...options,
  });
  open.push(client);
  return client;
};

const slowly = () =>
  server.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 100 } } }]);
const failing = () => server.setFaults([{ fault: { kind: 'error', status: 503, code: 'overloaded' } }]);
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );

describe('invalidate', () => {
  it('drops the description of this image for this request, and no other', async () => {
    const client = start();
    await client.describe(coffee);
    await client.describe(coffee, { prompt: 'Which colours?' });
    await client.describe(rocket);
    await client.invalidate(coffee);
    await expect(client.describe(coffee)).resolves.toMatchObject({ source: 'upstream' });
    await expect(client.describe(coffee, { prompt: 'Which colours?' })).resolves.toMatchObject({
      source: 'memory',
    });
    await expect(client.describe(rocket)).resolves.toMatchObject({ source: 'memory' });
    await client.invalidate({ image: coffee }, { prompt: 'Which colours?' });
    await expect(client.describe(coffee, { prompt: 'Which colours?' })).resolves.toMatchObject({
      source: 'upstream',
    });
    expect(client.stats()).toMatchObject({
      calls: { succeeded: 7 },
      admission: { calls: 0, bytesInFlight: 0 },
    });
  });

  it('also keeps later calls from what is being made meanwhile', async () => {
    const client = start();
    slowly();
    const before = client.describe(coffee);
    await expect.poll(() => server.getStats().requests).toBe(1);
    await client.invalidate(coffee);
    await expect(client.describe(coffee)).resolves.toMatchObject({ source: 'upstream' });
    await before;
    expect(server.getStats().requests).toBe(2);
  });

  it.runIf(findRedisServer())('reaches the other processes', async () => {
    const redis = await startRedisServer();
    try {
      const [one, other] = [start({ redis: redis.url }), start({ redis: redis.url })];
      await one.describe(coffee);
      await expect(other.describe(coffee)).resolves.toMatchObject({ source: 'redis' });
      await one.invalidate(coffee);
      await expect
        .poll(async () => codeOf(other.describe(coffee, { cache: 'only-if-cached' })))
        .toBe('DESCRIBE_CACHE_MISS');
    } finally {
      await Promise.all(open.splice(0).map((client) => client.destroy()));
      await redis.stop();
    }
  });

  it('refuses what describe refuses, ends with its signal, and does nothing without a cache', async () => {
    const client = start({ cache: false });
    await expect(client.invalidate(coffee)).resolves.toBeUndefined();
    expect(await codeOf(client.invalidate({} as never))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(client.invalidate(coffee, { prompt: 7 as never }))).toBe('DESCRIBE_INPUT_INVALID');
    const reason = new Error('enough');
    expect(await codeOf(start().invalidate(coffee, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    await client.close();
    expect(await codeOf(client.invalidate(coffee))).toBe('DESCRIBE_CLOSED');
  });
});

describe('warm', () => {
  it('describes what is missing, tells each outcome, and finds it all the second time', async () => {
    const client = start();
    await client.describe(rocket);
    const progress: ClientWarmProgress[] = [];
    const inputs = [coffee, rocket, new Uint8Array([1, 2, 3]), { image: chelsea, prompt: 'Which breed?' }];
    const onProgress = (told: ClientWarmProgress) => {
      progress.push(told);
      throw new Error('a listener fails');
    };
    const result = await client.warm(inputs, { concurrency: 1, onProgress });
    expect(result).toMatchObject({
      warmed: 2,
      skipped: 1,
      failed: [{ index: 2, error: { code: 'DESCRIBE_IMAGE_UNREADABLE' } }],
    });
    expect(progress.map(({ done, total, index, outcome }) => ({ done, total, index, outcome }))).toEqual([
      { done: 1, total: 4, index: 0, outcome: 'warmed' },
      { done: 2, total: 4, index: 1, outcome: 'skipped' },
      { done: 3, total: 4, index: 2, outcome: 'failed' },
      { done: 4, total: 4, index: 3, outcome: 'warmed' },
    ]);
    expect(progress[1]?.input).toBe(rocket);
    expect(await client.warm(inputs.toSpliced(2, 1))).toEqual({ warmed: 0, skipped: 3, failed: [] });
    expect(server.getStats().requests).toBe(3);
  });

  it('asks for the model of the request itself, and lists what fails', async () => {
    const client = start({ fallback: [() => 'an image'], retry: false });
    failing();
    await expect(client.describe(coffee)).resolves.toMatchObject({ source: 'fallback' });
    const { warmed, failed } = await client.warm([coffee]);
    expect({ warmed, failed: failed.length }).toEqual({ warmed: 0, failed: 1 });
  });

  it('stores nothing for a request that says no-store, and says so', async () => {
    const { failed } = await start().warm([{ image: coffee, cache: 'no-store' }]);
    expect(failed).toMatchObject([{ index: 0, error: { code: 'DESCRIBE_INPUT_INVALID' } }]);
    expect(server.getStats().requests).toBe(0);
  });

  it('rejects at once without a cache, for wrong options, after the end, and with its signal', async () => {
    const client = start();
    expect(await codeOf(start({ cache: false }).warm([coffee]))).toBe('DESCRIBE_CONFIG_INVALID');
    expect(await codeOf(client.warm([coffee], { concurrency: 0 }))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(client.warm([coffee], { onProgress: 'often' as never }))).toBe(
      'DESCRIBE_INPUT_INVALID',
    );
    expect(await codeOf(client.warm(coffee as never))).toBe('DESCRIBE_INPUT_INVALID');
    slowly();
    const controller = new AbortController();
    const reason = new Error('enough');
    const warming = codeOf(client.warm([coffee, rocket], { signal: controller.signal }));
    await expect.poll(() => server.getStats().requests).toBe(2);
    controller.abort(reason);
    expect(await warming).toBe(reason);
    await client.close();
    expect(await codeOf(client.warm([coffee]))).toBe('DESCRIBE_CLOSED');
  });

  it('takes inputs of any number, as they come', async () => {
    const client = start();
    async function* inputs() {
      for (let index = 0; index < 200; index += 1) yield [coffee, rocket, chelsea][index % 3] as Buffer;
    }
    const totals: unknown[] = [];
    const result = await client.warm(inputs(), { onProgress: ({ total }) => totals.push(total) });
    expect(result.warmed + result.skipped).toBe(200);
    expect(new Set(totals)).toEqual(new Set([undefined]));
    expect(server.getStats().requests).toBe(3);
  });
});

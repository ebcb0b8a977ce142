import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { ClientWarmProgress } from './bulk/warm-cache.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

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

const slowly = () => server.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 100 } } }]);
/** The bytes of an image that come only when `go` is called. */
const heldBack = (bytes: Uint8Array) => {
  const held = new Deferred<void>();
  async function* image() {
    await held.promise;
    yield bytes;
  }
  return { image: image(), go: () => held.resolve() };
};
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

  it('keeps later calls from one in work that is not cached, and without a cache', async () => {
    for (const [client, options] of [
      [start(), { cache: 'no-store' }],
      [start({ cache: false }), {}],
    ] as const) {
      slowly();
      const { requests } = server.getStats();
      const before = client.describe(coffee, options);
      await expect.poll(() => server.getStats().requests).toBe(requests + 1);
      await client.invalidate(coffee);
      await expect(client.describe(coffee, options)).resolves.toMatchObject({ source: 'upstream' });
      await before;
    }
  });

  it("drops what a fallback's model said in place of the request's own", async () => {
    const client = start({ fallback: [{ model: 'gpt-4.1-nano' }], retry: false });
    server.setFaults([{ when: { model: 'gpt-4.1-mini' }, fault: { kind: 'error', status: 503 } }]);
    await client.describe(coffee);
    await client.invalidate(coffee);
    await expect(client.describe(coffee)).resolves.toMatchObject({ source: 'upstream' });
  });

  it('is waited for when the client is closed, and given up when it is destroyed', async () => {
    const client = start();
    const { image, go } = heldBack(coffee);
    const invalidated = codeOf(client.invalidate({ image }));
    const closed = client.close();
    const shortly = new Promise((resolve) => setTimeout(() => resolve('open'), 50));
    expect(await Promise.race([closed, shortly])).toBe('open');
    go();
    await closed;
    expect(await invalidated).toBe('fulfilled');
    const other = start();
    const dropped = codeOf(other.invalidate({ image: heldBack(coffee).image }));
    await other.destroy('enough');
    expect(await dropped).toBe('enough');
    expect(other.stats().admission).toMatchObject({ calls: 0, bytesInFlight: 0 });
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

  it('takes no expired entry for a description, and waits for a new one', async () => {
    const clock = new ManualClock();
    const cache = new RedisCache({ clock, defaultTTL: 60, graceSeconds: 600, ttlJitterRatio: 0 });
    const client = start({ cache, retry: false, fallback: ['stale'] });
    await client.describe(coffee);
    await clock.advance(61_000);
    failing();
    await expect(client.describe(coffee)).resolves.toMatchObject({ source: 'stale' });
    // The second try is too early; the third one is made.
    for (const [waitMs, code] of [
      [0, 'DESCRIBE_UPSTREAM'],
      [11_000, 'DESCRIBE_OVERLOADED'],
    ] as const) {
      await clock.advance(waitMs);
      expect(await client.warm([coffee])).toMatchObject({ skipped: 0, failed: [{ error: { code } }] });
    }
    server.setFaults([]);
    await clock.advance(11_000);
    expect(await client.warm([coffee])).toMatchObject({ warmed: 1, failed: [] });
  });

  it("spends nothing where the user's own cache is closed, and says so", async () => {
    const cache = new RedisCache();
    await cache.close();
    const { warmed, failed } = await start({ cache }).warm([coffee]);
    expect({ warmed, failed }).toMatchObject({ warmed: 0, failed: [{ error: { code: 'DESCRIBE_CLOSED' } }] });
    expect(server.getStats().requests).toBe(0);
  });

  it('ends with the client, also where its source keeps it waiting', async () => {
    for (const end of ['close', 'destroy'] as const) {
      const client = start();
      async function* inputs() {
        yield coffee;
        await new Promise(() => {});
      }
      const warming = codeOf(client.warm(inputs(), { onProgress: () => void client[end]() }));
      expect(await warming).toBe('DESCRIBE_CLOSED');
    }
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
    for (const options of [{ onProgress: 'often' }, { ordered: true }, 5, null]) {
      expect(await codeOf(client.warm([coffee], options as never))).toBe('DESCRIBE_INPUT_INVALID');
    }
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

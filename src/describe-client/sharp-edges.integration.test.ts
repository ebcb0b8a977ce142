// What a review found: each story failed once.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { systemClock } from '../internal/clock.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { createTestImage, describeImageFacts, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import type { DescribeManyOptions } from './bulk/describe-many.ts';
import type { DescribeSchema } from './call/describe-request.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

let server: FakeOpenAI;
let client: DescribeClient | undefined;
beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await client?.destroy();
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions = {}) => {
  client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    retry: { initialDelayMs: 1, maxDelayMs: 5 },
    ...options,
  });
  return client;
};

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
const [image, other] = [createTestImage({ seed: 1 }), createTestImage({ seed: 2 })];
const slow = (ms: number) => [{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms } } } as const];
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );

const schemaWith = (parse: (value: unknown) => unknown): DescribeSchema => ({
  name: 'facts',
  jsonSchema: {
    type: 'object',
    properties: { description: { type: 'string' } },
    required: ['description'],
    additionalProperties: false,
  },
  parse,
});
const refusing = schemaWith(() => {
  throw new Error('not mine');
});

describe('a parse of the caller that throws', () => {
  it.each([false as const, { batchSize: 2, maxBatchWaitMs: 1 }])(
    'says nothing about the API (batch: %o)',
    async (batch) => {
      const started = start({ batch });
      for (let call = 0; call < 4; call += 1) {
        expect(await codeOf(started.describe({ image, schema: refusing }))).toBe('DESCRIBE_RESPONSE_INVALID');
      }
      await expect(started.describe(other)).resolves.toMatchObject({ source: 'upstream' });
      expect((await started.health()).parts['breakers']?.status).toBe('healthy');
    },
  );

  it('has the answers of no use on its bill', async () => {
    let calls = 0;
    const late = schemaWith((value) => {
      calls += 1;
      if (calls === 1) throw new Error('not yet');
      return value;
    });
    const { usage } = await start().describe({ image, schema: late });
    expect(usage?.totalTokens).toBe(server.getStats().tokensBilled.total);
    expect(calls).toBe(2);
  });

  it('makes a cached answer as good as none', async () => {
    const started = start();
    await started.describe({ image, schema: schemaWith((value) => value) });
    let calls = 0;
    const later = schemaWith(() => {
      calls += 1;
      if (calls === 1) throw new Error('the shape has changed');
      return 'parsed';
    });
    await expect(started.describe({ image, schema: later })).resolves.toMatchObject({
      data: 'parsed',
      source: 'upstream',
    });
  });
});

describe('a schema that is no JSON', () => {
  it('is an input error and no outage', async () => {
    const jsonSchema = { limit: 1n } as unknown as Record<string, unknown>;
    expect(await codeOf(start().describe({ image, schema: { name: 'x', jsonSchema } }))).toBe('DESCRIBE_INPUT_INVALID');
  });
});

describe('describeMany', () => {
  it.each([
    { concurrency: Number.NaN },
    { concurrency: 0 },
    { concurrency: 1.5 },
    { concurrency: '4' },
    { concurency: 4 },
  ])('names what is wrong in %o', async (options) => {
    const iteration = start().describeMany([image], options as DescribeManyOptions);
    expect(await codeOf(iteration.next())).toBe('DESCRIBE_INPUT_INVALID');
  });

  it("heeds a request's own signal beside its own", async () => {
    const inputs = [{ image, signal: AbortSignal.abort('mine') }];
    for await (const item of start().describeMany(inputs)) {
      expect(item).toMatchObject({ status: 'rejected', reason: 'mine' });
    }
  });

  it('lets the event loop turn while items settle at once', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const started = start();
    let items = 0;
    for await (const _item of started.describeMany(Array.from({ length: 5000 }, () => ({ file: '' })))) items += 1;
    clearImmediate(timer);
    expect(items).toBe(5000);
    expect(turns).toBeGreaterThan(3);
  });

  it('ends an endless source when the client is closed', async () => {
    const started = start();
    const endless = (function* () {
      while (true) yield image;
    })();
    const iteration = started.describeMany(endless);
    await iteration.next();
    await started.close();
    let last: unknown;
    for (let item = 0; item < 100 && last === undefined; item += 1) {
      last = await iteration.next().then(
        ({ done }) => (done ? 'done' : undefined),
        (error: unknown) => error,
      );
    }
    expect(last).toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });
});

describe('breakers', () => {
  it('refuse a fallback, whose answer would be cached as a description', () => {
    const options = { fallback: () => ({ description: 'n/a', model: 'm' }) };
    expect(() => start({ circuitBreaker: options as object })).toThrow(/circuitBreaker.fallback/);
  });

  it("take no answer of a user's breaker for a description", async () => {
    const answering = { fire: async () => ({ description: 'n/a' }), getStats: () => ({}), state: 'CLOSED' };
    const started = start({ circuitBreaker: () => answering as never });
    expect(await codeOf(started.describe(image))).toBe('DESCRIBE_RESPONSE_INVALID');
    expect(await codeOf(started.describe(image, { cache: 'only-if-cached' }))).toBe('DESCRIBE_CACHE_MISS');
  });

  it('do not keep the client unhealthy once they would let a call try', async () => {
    server.setFaults([{ fault: { kind: 'error', status: 500 } }]);
    let skewMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
    const started = start({ clock, circuitBreaker: { resetTimeoutMs: 60_000, failureThreshold: 1 } });
    await codeOf(started.describe(image));
    expect((await started.health()).status).toBe('unhealthy');
    skewMs = 61_000;
    expect((await started.health()).status).toBe('degraded');
  });
});

describe('a follower of another call', () => {
  it('has its own deadline and tries', async () => {
    server.setFaults([...slow(60), { times: 1, fault: { kind: 'error', status: 500 } }]);
    const started = start({ retry: { initialDelayMs: 100, maxDelayMs: 100 } });
    const owner = started.describe(image, { timeoutMs: 120 });
    const follower = started.describe(image, { timeoutMs: 5000 });
    expect(await codeOf(owner)).not.toBe('fulfilled');
    await expect(follower).resolves.toMatchObject({ description: describeImageFacts(image) });
  });

  it('has its own limit of output', async () => {
    server.setFaults(slow(40));
    const started = start();
    const owner = started.describe(image, { maxOutputTokens: 1 });
    const follower = started.describe(image, { maxOutputTokens: 300 });
    expect(await codeOf(owner)).toBe('DESCRIBE_OUTPUT_TRUNCATED');
    await expect(follower).resolves.toMatchObject({ description: describeImageFacts(image) });
  });
});

describe('an expired description', () => {
  it('stands in when the API hangs, before the deadline', async () => {
    const started = start({
      cache: { defaultTTL: 0.05, graceSeconds: 600, ttlJitterRatio: 0 },
      timeoutMs: 1_000,
    });
    await started.describe(image, { timeoutMs: 30_000 });
    await pause(80);
    server.setFaults([{ fault: { kind: 'hang' } }]);
    await expect(started.describe(image)).resolves.toMatchObject({ source: 'stale' });
  });
});

describe('the end', () => {
  it('comes at once by destroy, also while close waits', async () => {
    const started = start({ pool: { min: 0, max: 1 } });
    const lease = await started.pools['default']?.acquire();
    const closing = started.close();
    await started.destroy('over');
    await closing;
    expect(() => lease?.release()).toThrow();
  });
});

describe('parts used by hand', () => {
  it('describe through client.batch', async () => {
    const started = start({ batch: { maxBatchWaitMs: 1 } });
    await expect(started.batch?.process({ image, prompt: 'What?' })).resolves.toMatchObject({
      description: describeImageFacts(image),
    });
  });

  it('do not fail calls when the cache was closed by its owner', async () => {
    const cache = new RedisCache();
    const started = start({ cache });
    await cache.close();
    await expect(started.describe(image)).resolves.toMatchObject({ source: 'upstream' });
  });

  it('are refused where a function gives no pool or breaker', async () => {
    expect(() => start({ pool: () => ({}) as never })).toThrow(/pool.result/);
    expect(() => start({ pool: () => undefined as never })).toThrow(/pool.result/);
    const started = start({ circuitBreaker: () => undefined as never });
    expect(await codeOf(started.describe(image))).toBe('DESCRIBE_CONFIG_INVALID');
    expect(started.stats().calls.failed).toBe(1);
  });

  it('have no options that the client decides', () => {
    expect(() => start({ batch: { model: 'x' } as never })).toThrow(/batch.model/);
    expect(() => start({ cache: { host: 'x' } as never })).toThrow(/cache.host/);
  });
});

describe('health', () => {
  it('knows that the key is refused, from the calls themselves', async () => {
    const started = start({ apiKey: 'sk-wrong' });
    expect(await codeOf(started.describe(image))).toBe('DESCRIBE_AUTH');
    expect((await started.health()).parts['pool:default']).toMatchObject({ status: 'unhealthy' });
  });

  it('does not mind what callers send', async () => {
    const started = start();
    for (let call = 0; call < 30; call += 1) await codeOf(started.describe(new Uint8Array([call])));
    expect((await started.health()).parts['monitor']?.reason ?? '').not.toContain('error');
  });
});

describe('a request of a class', () => {
  it('is read by name, its getters included', async () => {
    class Request {
      readonly #controller = AbortSignal.abort('mine');
      get image() {
        return image;
      }
      get signal() {
        return this.#controller;
      }
    }
    expect(await codeOf(start().describe(new Request()))).toBe('mine');
    expect(server.getStats().requests).toBe(0);
  });
});

describe('estimate', () => {
  it.each([
    [5, {}],
    [null, {}],
    [[image], { expectedOutputTokens: Number.NaN }],
    [[image], { requestsPerMinute: 0 }],
    [[image], { requestPerMinute: 5 }],
  ])('names what is wrong in %o, %o', async (inputs, options) => {
    expect(await codeOf(start().estimate(inputs as never, options as never))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('ends with its signal, whatever the source does', async () => {
    const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const estimate = start().estimate(hanging, { signal: AbortSignal.timeout(20) });
    await expect(estimate).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

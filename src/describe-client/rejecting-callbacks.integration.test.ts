import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BatchProcessor,
  CircuitBreaker,
  createCacheWarmer,
  createDescribeClient,
  createPerformanceMiddleware,
  type DescribeClientOptions,
  PerformanceMonitor,
  RedisCache,
  ResourcePool,
  VisionDescriptionBatchProcessor,
  withCircuitBreaker,
} from '../index.ts';
import { createTestImage, type FakeOpenAI, ManualClock, startFakeOpenAI } from '../testing/index.ts';
import { completion, openApi } from './answers.fixture.ts';

// Every callback that a user may give, each of them async and rejecting: the guide says that this never ends the
// process.

let server: FakeOpenAI;
let unhandled: unknown[] = [];
let calls = 0;
const note = (reason: unknown) => unhandled.push(reason);

/** A callback of any type that rejects in a later turn. */
const late = (async () => {
  calls += 1;
  await nextTurn();
  throw new Error('late');
}) as never;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const failing = () => {
  throw new Error('no');
};
const swallow = () => {};

const withClient = async (
  options: DescribeClientOptions,
  run: (client: ReturnType<typeof createDescribeClient>) => Promise<unknown>,
) => {
  const client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL, ...options });
  await run(client).catch(swallow);
  await client.close();
};

const [image, other] = [createTestImage({ seed: 5 }), createTestImage({ seed: 6 })];
const schema = { name: 'cat', jsonSchema: {} };

/** A client of an API that answers every image with an empty object, alone or in a pack. */
const withData = async (
  options: DescribeClientOptions,
  run: (client: ReturnType<typeof createDescribeClient>) => Promise<unknown>,
) => {
  const api = await openApi((body) => {
    const items = [...body.matchAll(/"id (\w+)"/g)].map(([, id]) => ({ id, data: {} }));
    return { body: completion(JSON.stringify(items.length === 0 ? {} : { items })) };
  });
  await withClient({ baseURL: api.baseURL, retry: false, ...options }, run);
  await api[Symbol.asyncDispose]();
};

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:1/v1';

const batchOf = async (options: object, handler: () => never[] = failing) => {
  const clock = new ManualClock();
  const processor = new BatchProcessor(handler, { clock, ...options });
  const done = processor.process(1).catch(swallow);
  await clock.advance(60_000);
  await done;
};

const breakerOf = async (options: object, action: () => Promise<string>) => {
  const breaker = new CircuitBreaker('b', action, { failureThreshold: 1, ...options });
  await breaker.fire().catch(swallow);
  await breaker.fire().catch(swallow);
  breaker.shutdown();
};

const CALLBACKS: Readonly<Record<string, () => Promise<unknown>>> = {
  'BatchProcessor: weigh': () => batchOf({ weigh: late }),
  'BatchProcessor: groupBy': () => batchOf({ groupBy: late }),
  'BatchProcessor: retry.isRetryable': () => batchOf({ retry: { maxAttempts: 2, isRetryable: late } }),
  'VisionDescriptionBatchProcessor: classify': async () => {
    const clock = new ManualClock();
    const send = async () => failing();
    const processor = new VisionDescriptionBatchProcessor({ send }, { clock, classify: late });
    const done = processor.process({ image }).catch(swallow);
    await clock.advance(60_000);
    await done;
  },
  'VisionDescriptionBatchProcessor: estimateTokens': async () => {
    const processor = new VisionDescriptionBatchProcessor({ send: failing }, { estimateTokens: late });
    await processor.process({ image }).catch(swallow);
  },
  'CircuitBreaker: isFailure': () => breakerOf({ isFailure: late }, async () => failing()),
  'CircuitBreaker: isFailureResult': () => breakerOf({ isFailureResult: late }, async () => 'x'),
  'CircuitBreaker: isNeutralResult': () => breakerOf({ isNeutralResult: late }, async () => 'x'),
  'CircuitBreaker: retryAfterMs': () => breakerOf({ retryAfterMs: late }, async () => failing()),
  'CircuitBreaker: fallback': () => breakerOf({ fallback: late }, async () => failing()),
  'CircuitBreaker.on': async () => {
    const breaker = new CircuitBreaker('b', async () => failing(), { failureThreshold: 1 });
    breaker.on('opened', late);
    await breaker.fire().catch(swallow);
    breaker.shutdown();
  },
  'withCircuitBreaker: fetch handler': async () => {
    const answer = async (_request: Request) => new Response('x', { status: 503 });
    const options = { handler: 'fetch', retryAfterMs: late, failureThreshold: 1 } as const;
    await withCircuitBreaker('rejecting-callbacks', answer, options)(new Request('http://localhost/'));
  },
  'client: retry.isRetryable': () =>
    withClient({ baseURL: NOWHERE, retry: { isRetryable: late } }, (client) => client.describe({ image })),
  'client: retry.onRetry and onGiveUp': () =>
    withClient(
      { baseURL: NOWHERE, retry: { maxAttempts: 2, initialDelayMs: 1, onRetry: late, onGiveUp: late } },
      (client) => client.describe({ image }),
    ),
  'ResourcePool: isBroken': async () => {
    const pool = new ResourcePool({ factory: { create: () => ({}), destroy: swallow }, isBroken: late });
    await pool.use(failing).catch(swallow);
    await pool.close();
  },
  'ResourcePool: factory.destroy, reset and validate': async () => {
    const factory = { create: () => ({}), destroy: late, reset: late, validate: late };
    const pool = new ResourcePool({ factory, maxUsageCount: 2 });
    await pool.use(swallow);
    await pool.use(swallow).catch(swallow);
    await pool.close();
  },
  'ResourcePool.on': async () => {
    const pool = new ResourcePool({ factory: { create: () => ({}), destroy: swallow } });
    pool.on('created', late);
    await pool.use(swallow);
    await pool.close();
  },
  'RedisCache: negativeTtlSeconds': () =>
    new RedisCache().getOrSet('k', async () => failing(), { negativeTtlSeconds: late }).catch(swallow),
  'RedisCache: codec.encode': () =>
    new RedisCache({ codec: { encode: late, decode: String } }).set('k', 1).catch(swallow),
  'RedisCache: codec.decode': () =>
    new RedisCache({ codec: { encode: JSON.stringify, decode: late } }).set('k', 1).catch(swallow),
  'RedisCache.on': async () => {
    const cache = new RedisCache();
    cache.on('invalidated', late);
    await cache.clear();
  },
  'createCacheWarmer: onProgress': () =>
    createCacheWarmer(new RedisCache()).warmImageDescriptions(['https://e.com/a.jpg'], async () => 'x', {
      onProgress: late,
    }),
  'createCacheWarmer: keyOf': () =>
    createCacheWarmer(new RedisCache()).warmImageDescriptions(['https://e.com/a.jpg'], async () => 'x', {
      keyOf: late,
    }),
  'PerformanceMonitor: onAlert': async () => {
    const clock = new ManualClock();
    const monitor = new PerformanceMonitor({
      clock,
      alertIntervalMs: 100,
      alerts: { heapUsedRatio: { warning: 0.000_001, critical: 0.000_002 } },
    });
    monitor.onAlert(late);
    await clock.advance(100);
    monitor.close();
  },
  'PerformanceMonitor: logger': async () => {
    const clock = new ManualClock();
    const monitor = new PerformanceMonitor({ clock, logger: { info: late } });
    monitor.startReporting(1_000);
    await clock.advance(1_000);
    monitor.close();
  },
  'createPerformanceMiddleware: route': async () => {
    const finished: (() => void)[] = [];
    const response = {
      statusCode: 200,
      once: (_: string, then: () => void) => finished.push(then),
      on: swallow,
    };
    const monitor = new PerformanceMonitor();
    const middleware = createPerformanceMiddleware(monitor, { route: late });
    middleware({ method: 'GET', url: '/a' } as never, response as never, swallow);
    for (const end of finished) end();
    monitor.close();
  },
  'client.warm: onProgress': () => withClient({}, (client) => client.warm([{ image }], { onProgress: late })),
  'client: logger': () => {
    const logger = { debug: late, info: late, warn: late, error: late };
    return withClient({ logger, apiKey: 'sk-wrong-key', warmUpOnStart: true }, async (client) => {
      await client.warmUp().catch(swallow);
      await client.describe({ image });
    });
  },
  'client: fallback': () =>
    withClient({ fallback: [late], baseURL: NOWHERE, retry: false }, (client) => client.describe({ image })),
  'client: schema.parse': async () => {
    const client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL });
    const properties = { text: { type: 'string' } };
    const jsonSchema = { type: 'object', properties, required: ['text'], additionalProperties: false };
    const schema = { name: 'cat', jsonSchema, parse: late };
    const before = server.seen().length;
    await expect(client.describe({ image, schema })).rejects.toMatchObject({
      code: 'DESCRIBE_RESPONSE_INVALID',
      retryable: false,
      cause: new TypeError('schema.parse must return the data, got a promise'),
    });
    expect(server.seen().length - before).toBe(1);
    await client.close();
  },
  'client: schema.parse of what is cached': () =>
    withData({}, async (client) => {
      await client.describe({ image, schema: { ...schema, parse: late } }).catch(swallow);
      await client.describe({ image, schema });
      await client.describe({ image, schema: { ...schema, parse: late } });
    }),
  'client: schema.parse of packs': () =>
    withData({ batch: { batchSize: 2 } }, (client) =>
      Promise.all([image, other].map((each) => client.describe({ image: each, schema: { ...schema, parse: late } }))),
    ),
  'client: schema.parse of a fallback': () =>
    withClient({ fallback: [() => '{}'], baseURL: NOWHERE, retry: false }, (client) =>
      client.describe({ image, schema: { ...schema, parse: late } }),
    ),
  'client: apiKey': () =>
    withClient({ apiKey: late, retry: false }, async (client) => {
      await client.warmUp().catch(swallow);
      await client.health();
      await client.describe({ image });
    }),
  'client: circuitBreaker': () =>
    withClient({ circuitBreaker: late, retry: false }, (client) => client.describe({ image })),
  'client: pool': async () => {
    expect(() => createDescribeClient({ apiKey: 'k', pool: late })).toThrow(/pool/);
  },
};

beforeAll(async () => {
  server = await startFakeOpenAI();
});

afterAll(() => server.close());

beforeEach(() => {
  unhandled = [];
  calls = 0;
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
});

describe('a callback of the user that is async and rejects', () => {
  it.each(Object.entries(CALLBACKS))('leaves nothing unhandled: %s', async (_name, run) => {
    await run();
    // One turn for the callback to reject, one for Node to notice.
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    expect(unhandled).toEqual([]);
    expect(calls).toBeGreaterThan(0);
  });
});

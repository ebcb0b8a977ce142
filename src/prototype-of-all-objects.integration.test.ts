import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CircuitBreakerRegistry } from './circuit-breaker/index.ts';
import { completion, startRawApi } from './describe-client/raw-api.fixture.ts';
import { AddressGuard, ContentAliases, createImageLoader, InlineHosts, loadImage, UrlLadder } from './image/index.ts';
import {
  BatchProcessor,
  CircuitBreaker,
  createCacheWarmer,
  createCircuitBreaker,
  createDescribeClient,
  createPerformanceMiddleware,
  createResourcePool,
  HttpClientFactory,
  OpenAIConnectionPool,
  PerformanceMonitor,
  RedisCache,
  ResourcePool,
  VisionDescriptionBatchProcessor,
  withCircuitBreaker,
} from './index.ts';
import { PoolManager } from './openai/index.ts';
import { SingleFlight } from './redis-cache/index.ts';
import { QuotaLimiter, QuotaRegistry, RetryBudget, Router } from './routing/index.ts';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** The name of every option in this package. */
const NAMES =
  `acquireTimeoutMs ageingMs aliasTtlMs allowHosts apiKey apiVersion attemptTimeoutMs baseURL batch batchSize budget
beforeDownload cache cacheScope circuitBreaker classify client clock cluster codec compressAboveBytes concurrency connectTimeoutMs
createBackoff createTimeoutMs db defaultTTL denyHosts destroyTimeoutMs detail dialect download downloads endpoints
errorThresholdPercentage extraBody failureDecayMs
failureThreshold fallback family familyOf fetchTimeoutMs file followerWaitMs forceRefresh graceSeconds groupBy halfOpenMaxCalls
halfOpenSuccessRatio halfOpenTimeoutMs handler handlerTimeoutMs hardTimeoutMs headers healthCheckInterval healthCheckPath
healthCheckTimeoutMs host idleTimeoutMs ignoreParameters image imageIdentity imageUrl images initialConcurrency isBroken
isDownloadFailure isFailure
isFailureResult isNeutralResult isPaced isRetryable isValid keepAliveMs keyOf keyPrefix leakThresholdMs leaseMs limits logger max
maxAliases maxAttempts maxBatchWaitMs maxBatchWeight maxBreakers maxBytes maxBytesInFlight maxConcurrency maxConcurrentBatches
maxEntries maxHosts maxLifetimeMs maxLimiters maxOutputTokens maxPackBytes maxPackTokens maxPendingInvalidations maxPixels maxPools
maxQueueSize maxQueued maxQueuedCalls maxRedirects maxResetTimeoutMs maxResponseBytes maxRetries maxRoutes maxSize maxUsageCount
maxValueBytes maxWaiting memory metadata min minAttemptMs minRetries minSize minimumCalls model models monitor negativeTtlSeconds
onDriverMissing onGiveUp onProgress onQueueFull onRetry onlyHosts operationTimeoutMs ordered organization outageTrustMs password
policies pool port priority processes project prompt proxy query readTimeoutMs reasoningEffort redis refreshThrottleSeconds
registry rememberMs requestTimeoutMs requestsPerMinute resetJitterRatio resetTimeoutMs retry retryRatio schema sentinelName
sentinels shared sharedName signal slowCallDurationMs slowCallRatio softTimeoutMs streamIdleTimeoutMs strict system tagTrustMs tags
temperature timeoutMs tls tokensPerMinute ttl ttlJitterRatio ttlSeconds url username validateTimeoutMs warmUpOnStart weigh weight
windowCalls windowMs`.split(/\s+/);

/** Files of this package, but for the guard, that read a name from the prototype of all objects while `work` ran. */
async function readsDuring(work: () => unknown): Promise<string[]> {
  const reads = new Set<string>();
  const restore: (() => void)[] = [];
  for (const name of NAMES) {
    // Defined as an assignment would, so that a loop over the names finds it.
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      enumerable: true,
      get() {
        const [caller = ''] = new Error().stack?.split('\n').slice(2) ?? [];
        const file = /\/src\/((?!.*(?:\.test\.ts|\.fixture\.ts|own-options\.ts)).+?:\d+)/.exec(caller)?.[1];
        if (file !== undefined) reads.add(`${name} ${file}`);
        return undefined;
      },
      set(value: unknown) {
        Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
      },
    });
    restore.push(() => Reflect.deleteProperty(Object.prototype, name));
  }
  try {
    await work();
  } finally {
    for (const each of restore) each();
  }
  return [...reads].sort();
}

// Loads the packages first, because their own reads do not count.
beforeAll(async () => {
  await using api = await startRawApi(() => ({ body: completion('a cat') }));
  const client = createDescribeClient({ apiKey: 'sk-x', baseURL: api.baseURL });
  await client.describe({ image: PIXEL });
  await client.close();
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const create = () => ({});
const destroy = () => {};
const URL_IMAGE = { kind: 'url', url: 'https://a.example/1.png' } as const;
const loader = { fetch: async () => undefined };
const endpoint = { name: 'a', target: {}, maxConcurrency: 1 };

describe('what someone put on the prototype of all objects', () => {
  it.each<[string, () => unknown]>([
    ['createDescribeClient', () => createDescribeClient({ apiKey: 'sk-x' })],
    [
      'a client with parts',
      () =>
        createDescribeClient({
          apiKey: 'sk-x',
          pool: {},
          retry: {},
          batch: {},
          cache: {},
          monitor: {},
          images: {},
          circuitBreaker: {},
          limits: {},
        }),
    ],
    [
      'a client with endpoints',
      () => createDescribeClient({ endpoints: [{ apiKey: 'sk-x' }], fallback: [{ model: 'm' }] }),
    ],
    ['OpenAIConnectionPool', () => new OpenAIConnectionPool('sk-x', undefined, {})],
    ['PoolManager', () => new PoolManager({})],
    ['RedisCache', () => new RedisCache({ memory: {} })],
    ['BatchProcessor', () => new BatchProcessor(async (items: readonly number[]) => [...items], { retry: {} })],
    [
      'VisionDescriptionBatchProcessor',
      () => new VisionDescriptionBatchProcessor({ send: async () => ({}) } as never, { images: {} }),
    ],
    ['CircuitBreaker', () => new CircuitBreaker('one', async () => 1, {})],
    ['createCircuitBreaker', () => createCircuitBreaker('two', async () => 1, {})()],
    ['CircuitBreakerRegistry', () => new CircuitBreakerRegistry({}).getOrCreate('three', {})],
    ['ResourcePool', () => new ResourcePool({ factory: { create, destroy } })],
    ['createResourcePool', () => createResourcePool({ factory: { create, destroy } })],
    ['HttpClientFactory', () => new HttpClientFactory({ baseURL: 'http://127.0.0.1:9' }).create()],
    ['PerformanceMonitor', () => new PerformanceMonitor({})],
    ['createPerformanceMiddleware', () => createPerformanceMiddleware(new PerformanceMonitor(), {})],
    ['createImageLoader', () => createImageLoader({})],
    ['AddressGuard', () => new AddressGuard({})],
    ['InlineHosts', () => new InlineHosts({})],
    ['ContentAliases', () => new ContentAliases(loader, {})],
    ['UrlLadder', () => new UrlLadder(loader, {})],
    ['withCircuitBreaker', () => withCircuitBreaker('four', async () => 1, {})],
    ['RetryBudget', () => new RetryBudget({})],
    ['QuotaLimiter', () => new QuotaLimiter({ name: 'a', limits: {} })],
    ['QuotaRegistry', () => new QuotaRegistry({}).get('a', 'm')],
    ['Router', () => new Router({ endpoints: [endpoint], quotas: () => [] } as never)],
  ])('configures no %s', async (_, make) => {
    expect(
      await readsDuring(async () => {
        const made = await make();
        for (const end of ['shutdown', 'destroy', 'close']) {
          const method = (made as Record<string, unknown>)[end];
          if (typeof method !== 'function') continue;
          ends.push(() => method.call(made));
          break;
        }
      }),
    ).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['getOrSet', () => new RedisCache().getOrSet('key', () => 1, { tags: ['a'] })],
    [
      'set and mset',
      async () => {
        const cache = new RedisCache();
        await cache.set('a', 1, { tags: ['a'] });
        await cache.mset([{ key: 'b', data: 1 }]);
      },
    ],
    [
      'a warming',
      () => createCacheWarmer(new RedisCache()).warmImageDescriptions(['https://a.example/1.png'], () => 'x', {}),
    ],
    [
      'acquire',
      async () => {
        const pool = createResourcePool({ factory: { create, destroy } });
        (await pool.acquire({})).release();
        await pool.use(() => 1, {});
        await pool.use(() => 1);
        await pool.close({});
      },
    ],
    ['loadImage', () => loadImage('https://a.example/1.png', {})],
    ["a ladder's send", () => new UrlLadder(loader).send(URL_IMAGE, async ({ kind }) => kind)],
    ["a flight's run", () => new SingleFlight().run('key', async () => 1)],
    ['process', () => new BatchProcessor(async (items: readonly number[]) => [...items]).process(1, {})],
    ["a breaker's call", () => new CircuitBreaker('five', async () => 1).fire()],
    [
      'a request of a pooled HTTP client',
      async () => {
        await using api = await startRawApi(() => ({ body: { a: 1 } }));
        const http = await new HttpClientFactory({ baseURL: api.origin }).create();
        ends.push(() => http.close());
        await http.get('x', {});
        await http.post('x', { a: 1 });
      },
    ],
    [
      'describe',
      async () => {
        await using api = await startRawApi(() => ({ body: completion('a cat') }));
        const client = createDescribeClient({ apiKey: 'sk-x', baseURL: api.baseURL, batch: false });
        const image = PIXEL;
        await client.describe({ image }, {});
        await client.describe(image);
        for await (const _ of client.describeMany([image], {}));
        await client.warm([image], {});
        await client.estimate([image], {});
        await client.close();
      },
    ],
  ])('changes nothing of %s', async (_, work) => {
    expect(await readsDuring(work)).toEqual([]);
  });

  it('changes no option, where one is assigned', async () => {
    const cache = new RedisCache();
    Object.assign(Object.prototype, {
      keyPrefix: 'evil:',
      forceRefresh: true,
      file: '/etc/passwd',
      timeoutMs: -1,
    });
    try {
      let made = 0;
      const make = () => (made += 1);
      expect(await cache.getOrSet('key', make, {})).toBe(1);
      expect(await cache.getOrSet('key', make, {})).toBe(1);
      expect(await new BatchProcessor(async (items: readonly number[]) => [...items]).process(7, {})).toBe(7);
    } finally {
      for (const name of ['keyPrefix', 'forceRefresh', 'file', 'timeoutMs']) {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
  });

  it('leaves options that are inherited from anything else', async () => {
    class Options {
      get maxBreakers() {
        return 1;
      }
    }
    const registry = new CircuitBreakerRegistry(new Options());
    registry.getOrCreate('a');
    registry.getOrCreate('b');
    expect(registry.getAll().size).toBe(1);
    const pool = createResourcePool(Object.create({ factory: { create, destroy }, maxSize: 2 }));
    expect(pool.getStats()).toMatchObject({ maxSize: 2 });
    await pool.close();
  });
});

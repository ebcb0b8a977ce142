import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpenAIConnectionPool } from '../../openai/index.ts';
import { RedisCache } from '../../redis-cache/index.ts';
import { createTestImage, ManualClock } from '../../testing/index.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import { completion, startRawApi } from '../raw-api.fixture.ts';
import type { DescribeClientOptions } from './client-options.ts';

const disposables: AsyncDisposable[] = [];
const disposeLater = <Part extends AsyncDisposable>(part: Part): Part => {
  disposables.push(part);
  return part;
};

let api: Awaited<ReturnType<typeof startRawApi>>;

beforeEach(async () => {
  vi.stubEnv('OPENAI_API_KEY', undefined);
  api = disposeLater(await startRawApi(() => ({ body: completion('fine') })));
});

afterEach(async () => {
  for (const disposable of disposables.splice(0).reverse()) await disposable[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

const clientOf = (options: DescribeClientOptions = {}) =>
  disposeLater(createDescribeClient(options.endpoints === undefined ? { baseURL: api.baseURL, ...options } : options));

const image = createTestImage();
const NO_KEY = {
  code: 'DESCRIBE_CONFIG_INVALID',
  retryable: false,
  message: 'createDescribeClient: apiKey: expected a key, here or in OPENAI_API_KEY, got nothing',
};

describe('a client without a key', () => {
  it.each<[string, DescribeClientOptions]>([
    ['as it is', {}],
    ['without a cache, a breaker and a monitor', { cache: false, circuitBreaker: false, monitor: false }],
    ['with batch', { batch: {} }],
    ['with batch: auto', { batch: 'auto' }],
    ['with an apiVersion', { apiVersion: '2024-10-21' }],
    ['with a pool of its own', { pool: ({ apiKey, baseURL }) => new OpenAIConnectionPool(apiKey, baseURL) }],
    ['with a pool that warms up', { warmUpOnStart: true, pool: { min: 2, healthCheckInterval: 1 } }],
  ])('(%s) rejects each call and sends nothing', async (_how, options) => {
    const client = clientOf(options);
    for (let call = 0; call < 2; call += 1) await expect(client.describe(image)).rejects.toMatchObject(NO_KEY);
    await expect(client.warmUp()).rejects.toMatchObject(NO_KEY);
    const direct = client.batch?.process({ image, prompt: 'x' }) ?? Promise.reject(NO_KEY);
    await expect(direct).rejects.toMatchObject(NO_KEY);
    expect(await client.health()).toMatchObject({
      status: 'unhealthy',
      parts: { 'pool:default': { status: 'unhealthy', reason: NO_KEY.message } },
    });
    await client.close();
    expect(api.seen).toEqual([]);
  });

  it('makes no pool', async () => {
    const destroy = vi.spyOn(OpenAIConnectionPool.prototype, 'destroy');
    const pool = vi.fn(() => new OpenAIConnectionPool('k'));
    for (const options of [{}, { pool }]) {
      const client = clientOf(options);
      expect({ pools: client.pools, stats: client.stats().pools }).toEqual({ pools: {}, stats: {} });
    }
    expect(pool).not.toHaveBeenCalled();
    expect(destroy).not.toHaveBeenCalled();
    destroy.mockRestore();
  });

  it('touches neither retry nor breaker, and tells the story of a call without an attempt', async () => {
    const client = clientOf({ circuitBreaker: { failureThreshold: 1 }, retry: { maxAttempts: 5 } });
    const failure = await client.describe(image).catch((error: unknown) => error);
    expect(failure).toMatchObject({ ...NO_KEY, explain: { attempts: [] } });
    expect(Object.values(client.breakers).map(({ state }) => state)).toEqual(['CLOSED']);
    const { calls, retry } = client.stats();
    expect(calls).toMatchObject({ failed: 1, active: 0 });
    expect(retry).toMatchObject({ retries: 0 });
    expect(JSON.parse(JSON.stringify(client.stats()))).toEqual(client.stats());
  });

  it('loads no image that it would have to send as bytes', async () => {
    const client = clientOf({ images: { allowHosts: ['127.0.0.1'] } });
    await expect(client.describe(`${api.origin}/cat.png`)).rejects.toMatchObject(NO_KEY);
    expect(api.seen).toEqual([]);
  });

  it('gives what needs no key: cached descriptions, estimates, metrics, reports', async () => {
    const cache = disposeLater(new RedisCache());
    const withKey = clientOf({ apiKey: 'k', cache });
    const { description } = await withKey.describe(image);
    const client = clientOf({ cache });
    expect(await client.describe(image)).toMatchObject({ description, source: 'memory' });
    expect(await client.describe(image, { cache: 'only-if-cached' })).toMatchObject({ description });
    await expect(client.describe(image, { cache: 'reload' })).rejects.toMatchObject(NO_KEY);
    await expect(client.describe(createTestImage({ seed: 2 }), { cache: 'only-if-cached' })).rejects.toMatchObject({
      code: 'DESCRIBE_CACHE_MISS',
    });
    await client.invalidate(image);
    await expect(client.describe(image)).rejects.toMatchObject(NO_KEY);
    expect(await client.estimate([image])).toMatchObject({ calls: 1 });
    expect(await client.metrics()).toContain('describe');
    expect(client.report()).toBeDefined();
    expect(api.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('yields each item of describeMany rejected, and lists each failure of warm', async () => {
    const client = clientOf();
    const items = [];
    for await (const item of client.describeMany([image, createTestImage({ seed: 2 })])) items.push(item);
    expect(items).toMatchObject([
      { status: 'rejected', reason: NO_KEY },
      { status: 'rejected', reason: NO_KEY },
    ]);
    expect(await client.warm([image])).toMatchObject({ warmed: 0, failed: [{ error: NO_KEY }] });
    expect(api.seen).toEqual([]);
  });

  it('falls back to an expired entry, and to no model or function', async () => {
    const step = vi.fn(() => 'from the function');
    const clock = new ManualClock();
    const cache = disposeLater(new RedisCache({ clock, defaultTTL: 1, graceSeconds: 3_600 }));
    await clientOf({ apiKey: 'k', cache }).describe(image);
    await clock.advance(2_000);
    const sent = api.seen.length;
    const client = clientOf({ cache, fallback: [{ model: 'gpt-4o' }, step, 'stale'] });
    expect(await client.describe(image)).toMatchObject({ description: 'fine', source: 'stale' });
    const failure = await client.describe(createTestImage({ seed: 2 })).catch((error: unknown) => error);
    expect(failure).toMatchObject(NO_KEY);
    expect(failure).not.toHaveProperty('explain.fallbacks');
    expect(step).not.toHaveBeenCalled();
    expect(api.seen).toHaveLength(sent);
  });

  it('does not fail the calls of a client with a key that shares its cache', async () => {
    const cache = disposeLater(new RedisCache());
    const without = clientOf({ cache }).describe(image);
    const withKey = clientOf({ apiKey: 'k', cache }).describe(image);
    await expect(without).rejects.toMatchObject(NO_KEY);
    expect((await withKey).description).toBe('fine');
  });

  it('logs it once with warmUpOnStart, and not at all without', async () => {
    const warn = vi.fn();
    const logger = { debug() {}, info() {}, warn, error() {} };
    await clientOf({ logger }).close();
    expect(warn).not.toHaveBeenCalled();
    const client = clientOf({ logger, warmUpOnStart: true });
    await expect(client.describe(image)).rejects.toMatchObject(NO_KEY);
    expect(warn.mock.calls).toEqual([[{ code: NO_KEY.code, reason: NO_KEY.message }, 'the warm-up failed']]);
    expect(api.seen).toEqual([]);
  });

  it('does not take a key that comes later', async () => {
    const client = clientOf();
    vi.stubEnv('OPENAI_API_KEY', 'late');
    await expect(client.describe(image)).rejects.toMatchObject(NO_KEY);
    expect(api.seen).toEqual([]);
  });

  it('is told from one whose key is empty, at construction', () => {
    expect(() => createDescribeClient({ apiKey: '' })).toThrow(/apiKey: expected a non-empty string/);
    vi.stubEnv('OPENAI_API_KEY', 'from the environment');
    expect(() => createDescribeClient({ apiKey: '' })).toThrow(/apiKey/);
  });
});

describe('endpoints without a key', () => {
  it('are all named when none has one, and the environment lends them none', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'k');
    const { baseURL } = api;
    const client = clientOf({ endpoints: [{ name: 'eu', baseURL }, { baseURL }] });
    for (const call of [() => client.describe(image), () => client.warmUp()]) {
      await expect(call()).rejects.toMatchObject({
        code: 'DESCRIBE_CONFIG_INVALID',
        message: expect.stringMatching(/endpoints\[0\]\.apiKey.*"eu".*; endpoints\[1\]\.apiKey.*"endpoint-2"/),
      });
    }
    const { status, parts } = await client.health();
    expect(status).toBe('unhealthy');
    expect(parts['pool:eu']?.reason).toContain('endpoints[0].apiKey');
    expect(parts['pool:endpoint-2']?.reason).toContain('endpoints[1].apiKey');
    expect(api.seen).toEqual([]);
  });

  it('get no calls while another has one, which is logged and seen in health', async () => {
    const warn = vi.fn();
    const other = disposeLater(await startRawApi(() => ({ body: completion('fine') })));
    const client = clientOf({
      endpoints: [
        { name: 'eu', baseURL: other.baseURL, weight: 1000 },
        { apiKey: 'k', baseURL: api.baseURL },
      ],
      logger: { debug() {}, info() {}, warn, error() {} },
      warmUpOnStart: true,
    });
    for (let seed = 1; seed <= 5; seed += 1) {
      const { explain } = await client.describe(createTestImage({ seed }));
      expect(explain.attempts).toMatchObject([{ endpoint: 'endpoint-2', outcome: 'success' }]);
    }
    await client.warmUp();
    expect(warn.mock.calls).toEqual([
      [{ endpoint: 'eu', option: 'endpoints[0].apiKey' }, 'an endpoint has no key: no calls go to it'],
    ]);
    expect(await client.health()).toMatchObject({
      status: 'degraded',
      parts: { 'pool:eu': { status: 'unhealthy' }, 'pool:endpoint-2': { status: 'healthy' } },
    });
    expect(Object.keys(client.pools)).toEqual(['endpoint-2']);
    expect(other.seen).toEqual([]);
  });
});

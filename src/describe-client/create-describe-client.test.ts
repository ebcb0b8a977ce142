import { describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../errors/config-error.ts';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { PerformanceMonitor } from '../performance-monitor/index.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { composeParts } from './compose-parts.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { DescribeClient } from './describe-client.ts';

const KEY = 'sk-very-secret';

const errorOf = (options: unknown, variables: Record<string, string> = {}): ConfigError => {
  try {
    composeParts(options as Parameters<typeof composeParts>[0], variables);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const wrongOptions = (options: unknown, variables?: Record<string, string>) =>
  errorOf(options, variables).issues.map(({ option }) => option);

describe('createDescribeClient', () => {
  it('is synchronous and opens nothing', async () => {
    const client = createDescribeClient({ apiKey: KEY, redis: { host: '127.0.0.1', port: 1 } });
    expect(client).toBeInstanceOf(DescribeClient);
    expect(client.stats().pools['default']?.size).toBe(0);
    await client.close();
  });

  it('lists everything wrong at once, in its parts and in the environment too', () => {
    const options = {
      apiKey: ' ',
      timeoutMs: -1,
      attemptTimeoutMs: Number.NaN,
      maxOutputTokens: '300',
      modle: 'x',
      pool: { min: 5, max: 'ten' },
      circuitBreaker: { failureThreshold: 0 },
      cache: { defaultTTL: -1 },
      retry: { maxAttempts: 0 },
      batch: { batchSize: 0 },
      images: { maxBytes: 0 },
      monitor: { maxSeries: 0 },
      logger: {},
    };
    expect(wrongOptions(options, { REDIS_PORT: 'many', BATCH_SIZE: '-3' }).toSorted()).toEqual(
      [
        'apiKey',
        'timeoutMs',
        'attemptTimeoutMs',
        'maxOutputTokens',
        'modle',
        'pool.max',
        'circuitBreaker.failureThreshold',
        'cache.defaultTTL',
        'retry.maxAttempts',
        'batch.batchSize',
        'images.maxBytes',
        'monitor.maxSeries',
        'logger',
        'REDIS_PORT',
        'BATCH_SIZE',
      ].toSorted(),
    );
  });

  it('names the option of Redis that is wrong, and shows no password', () => {
    const error = errorOf({
      apiKey: KEY,
      redis: { host: 'h', port: 'many', password: 'hunter2' },
      cache: { defaultTTL: 0 },
    });
    expect(error.issues.map(({ option }) => option).toSorted()).toEqual(['cache.defaultTTL', 'redis.port']);
    expect(error.message).not.toContain('hunter2');
    expect(wrongOptions({ apiKey: KEY, redis: 'http://h' })).toEqual(['redis.url']);
  });

  it('suggests the nearest option and shows no secret', () => {
    const error = errorOf({ apiKey: KEY, baseUrl: 'https://x', redis: 5 });
    expect(error.message).toContain('did you mean baseURL?');
    expect(error.message).not.toContain(KEY);
  });

  it('refuses a key that no header can take, and shows nothing of it', () => {
    for (const key of ['sk-hunter2\nfoo', 'sk hunter2', 'sk-hunter2\u0000']) {
      for (const error of [errorOf({ apiKey: key }), errorOf({}, { OPENAI_API_KEY: key })]) {
        expect(error.issues.map(({ option }) => option)).toHaveLength(1);
        expect(error.message).not.toContain('hunter2');
      }
    }
  });

  it('takes the key from the options or the environment, and an empty text is none of either', () => {
    expect(composeParts({}, { OPENAI_API_KEY: KEY }).makeRefusal).toBeUndefined();
    for (const variables of [{}, { OPENAI_API_KEY: '' }, { OPENAI_API_KEY: ' ' }]) {
      expect(composeParts({}, variables).makeRefusal?.().message).toBe(
        'createDescribeClient: apiKey: expected a key, here or in OPENAI_API_KEY, got nothing',
      );
    }
    expect(wrongOptions({ apiKey: '' })).toEqual(['apiKey']);
    expect(wrongOptions({ endpoints: [{ apiKey: '' }] })).toEqual(['endpoints[0].apiKey']);
  });

  it('lists no missing key beside what is wrong', () => {
    expect(wrongOptions({ timeoutMs: -1 })).toEqual(['timeoutMs']);
    expect(wrongOptions({ endpoints: [{ weight: -1 }] })).toEqual(['endpoints[0].weight']);
  });

  it('lets options win over the environment, which wins over defaults', () => {
    const variables = { OPENAI_API_KEY: 'env', OPENAI_POOL_MAX_SIZE: '3', OPENAI_POOL_MIN_SIZE: '1' };
    const pool = composeParts({ apiKey: KEY, pool: { max: 7 } }, variables).endpoints.pools['default']?.getStats();
    expect(pool).toMatchObject({ minSize: 1, maxSize: 7 });
    expect(composeParts({}, variables).settings.endpoints[0]?.apiKey).toBe('env');
    expect(composeParts({ apiKey: undefined, model: undefined }, variables).settings).toMatchObject({
      endpoints: [{ name: 'default', apiKey: 'env' }],
      model: 'gpt-4.1-mini',
    });
    expect(composeParts({}, { ...variables, PERFORMANCE_MONITORING_ENABLED: 'false' }).monitor).toBeUndefined();
    expect(composeParts({ batch: {} }, { ...variables, BATCH_SIZE: '9' }).batch).toBeDefined();
  });

  it('reads the proxy of the environment, but for NO_PROXY and proxy: false', () => {
    const variables = {
      OPENAI_API_KEY: KEY,
      HTTPS_PROXY: 'http://proxy.example:8080',
      NO_PROXY: 'internal.example',
    };
    const proxyOf = (options: Parameters<typeof composeParts>[0]) =>
      composeParts(options, variables).settings.proxyTo(options.baseURL);
    expect(proxyOf({})).toBe('http://proxy.example:8080');
    expect(proxyOf({ proxy: false })).toBeUndefined();
    expect(proxyOf({ proxy: 'http://other.example' })).toBe('http://other.example');
    expect(proxyOf({ baseURL: 'https://api.internal.example/v1' })).toBeUndefined();
    expect(proxyOf({ baseURL: 'http://plain.example/v1' })).toBeUndefined();
    // As curl reads it.
    const schemeless = composeParts({}, { ...variables, HTTPS_PROXY: 'proxy.example:3128' });
    expect(schemeless.settings.proxyTo(undefined)).toBe('http://proxy.example:3128');
    expect(wrongOptions({ apiKey: KEY }, { HTTPS_PROXY: 'nonsense' })).toEqual(['HTTPS_PROXY']);
    expect(wrongOptions({ apiKey: KEY, tls: { ca: 'nonsense' }, proxy: 'ftp://x' })).toEqual(['proxy', 'tls.ca']);
  });

  it('says where an option is set that its part does not take', () => {
    const error = errorOf({
      apiKey: KEY,
      pool: { proxy: 'http://proxy.example', tls: {}, warmUpOnStart: true, requestTimeoutMs: 1, min: 1 },
      circuitBreaker: { timeoutMs: 1 },
      cache: { host: 'h' },
      batch: { retry: false },
      retry: { isPaced: () => true },
      monitor: { clock: {} },
    });
    expect(error.issues.map(({ option }) => option).toSorted()).toEqual([
      'batch.retry',
      'cache.host',
      'circuitBreaker.timeoutMs',
      'monitor.clock',
      'pool.proxy',
      'pool.requestTimeoutMs',
      'pool.tls',
      'pool.warmUpOnStart',
      'retry.isPaced',
    ]);
    expect(error.message).toContain(
      'pool.requestTimeoutMs: expected nothing here (set `attemptTimeoutMs` of the client)',
    );
  });

  it('makes no part where an option is wrong', () => {
    const pool = vi.fn();
    expect(wrongOptions({ apiKey: KEY, pool, cache: { defaultTTL: -1 } })).toEqual(['cache.defaultTTL']);
    expect(pool).not.toHaveBeenCalled();
  });

  it('closes only what it made', async () => {
    const cache = new RedisCache();
    const monitor = new PerformanceMonitor();
    const pool = new OpenAIConnectionPool(KEY);
    const closed = [vi.spyOn(cache, 'close'), vi.spyOn(monitor, 'close'), vi.spyOn(pool, 'close')];
    const client = createDescribeClient({ apiKey: KEY, cache, monitor, pool: () => pool });
    expect(client.cache).toBe(cache);
    expect(client.monitor).toBe(monitor);
    expect(client.pools['default']).toBe(pool);
    await client.close();
    for (const spy of closed) expect(spy).not.toHaveBeenCalled();
    await cache.close();
    await pool.close();
    monitor.close();
  });

  it('tells the story of a call that it did not begin', async () => {
    const client = createDescribeClient({ apiKey: KEY });
    const story = { explain: { attempts: [], queueMs: 0 } };
    await expect(client.describe({})).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', ...story });
    await client.close();
    await expect(client.describe('https://x.example/a.png')).rejects.toMatchObject({
      code: 'DESCRIBE_CLOSED',
      ...story,
    });
  });

  it('refuses calls after destroy', async () => {
    const client = createDescribeClient({ apiKey: KEY });
    await client.destroy('over');
    await expect(client.describe('https://x.example/a.png')).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('is closed at the end of its block by await using', async () => {
    let client: DescribeClient;
    {
      await using used = createDescribeClient({ apiKey: KEY });
      client = used;
    }
    await expect(client.describe('https://x.example/a.png')).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('leaves out what is switched off', async () => {
    const client = createDescribeClient({ apiKey: KEY, cache: false, monitor: false, circuitBreaker: false });
    expect([client.cache, client.monitor, client.batch]).toEqual([undefined, undefined, undefined]);
    expect(client.breakers).toEqual({});
    expect(Object.keys((await client.health()).parts)).toEqual(['pool:default', 'breakers', 'routing']);
    await client.close();
  });

  it('refuses a monitor that would leave metrics out without a word', () => {
    const monitor = { incrementCounter: () => {}, getMetrics: async () => '' } as unknown as PerformanceMonitor;
    expect(() => createDescribeClient({ apiKey: 'sk-any', monitor })).toThrow(/monitor.*bindCounter/);
  });
});

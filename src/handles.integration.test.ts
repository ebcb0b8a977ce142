import { EventEmitter } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker, circuitBreakerRegistry, createCircuitBreaker } from './circuit-breaker/index.ts';
import { createDescribeClient } from './describe-client/index.ts';
import { OpenAIConnectionPool, poolManager } from './openai/index.ts';
import {
  createFetchHandlers,
  createNodeHandlers,
  createPerformanceMiddleware,
  getPerformanceMonitor,
  PerformanceMonitor,
} from './performance-monitor/index.ts';
import { createCacheWarmer, createKeyvStore, getCache, RedisCache } from './redis-cache/index.ts';
import { createResourcePool, HttpClientFactory, ResourcePool } from './resource-pool/index.ts';
import { QuotaLimiter } from './routing/index.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from './testing/index.ts';

// Results of the package's functions are destructured here, as users do with every result: no method needs its object.

const IMAGE = `data:image/png;base64,${createTestImage().toString('base64')}`;
const QUESTION = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'Hello' }] };
const LEASE_INVALID = expect.objectContaining({ code: 'DESCRIBE_LEASE_INVALID' });

let server: FakeOpenAI;
beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterAll(() => server.close());

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function openPool(): OpenAIConnectionPool {
  const pool = new OpenAIConnectionPool(server.apiKey, server.baseURL, { max: 1 });
  endings.push(() => pool.destroy());
  return pool;
}

function thingPool() {
  const destroyed: number[] = [];
  let made = 0;
  const pool = new ResourcePool({
    factory: {
      create: async () => {
        made += 1;
        return { id: made };
      },
      destroy: async ({ id }) => void destroyed.push(id),
    },
    maxSize: 1,
  });
  endings.push(() => pool.destroy());
  return { pool, destroyed };
}

describe('leases', () => {
  it('an OpenAI client and its release', async () => {
    const pool = openPool();
    const { client, release, ...rest } = await pool.acquire();
    await client.chat.completions.create(QUESTION);
    await release();
    expect(pool.getStats()).toMatchObject({ borrowed: 0, idle: 1 });
    expect(Object.keys(rest)).toEqual(['destroy', 'handOver']);
    expect(release).toThrow(LEASE_INVALID);
  });

  it('an OpenAI client and its destroy', async () => {
    const pool = openPool();
    const { client, destroy } = await pool.acquire();
    await client.chat.completions.create(QUESTION);
    await destroy();
    expect(pool.getStats()).toMatchObject({ borrowed: 0, retired: { requested: 1 } });
  });

  it('a resource and its release', async () => {
    const { pool } = thingPool();
    const { resource, release } = await pool.acquire();
    await Promise.resolve().then(release);
    expect([resource.id, pool.getStats().borrowed]).toEqual([1, 0]);
  });

  it('a resource and its destroy, of which the release hears', async () => {
    const { pool, destroyed } = thingPool();
    const { release, destroy } = await pool.acquire();
    await destroy();
    await vi.waitFor(() => expect(destroyed).toEqual([1]), 30_000);
    expect(release).toThrow(LEASE_INVALID);
  });

  it('a permit of a quota', () => {
    const quota = new QuotaLimiter({ name: 'gpt-4.1-mini', limits: { requestsPerMinute: 60 } });
    const { answered, throttled, failed, refund } = quota.take(100);
    refund();
    for (const late of [() => answered({}), () => throttled({}), failed]) late();
    expect(quota.getStats()).toMatchObject({ taken: 1, refunded: 1, answered: 0, throttled: 0 });
  });
});

describe('clients', () => {
  it('an HTTP client of a pool', async () => {
    const pool = createResourcePool({ factory: new HttpClientFactory({ baseURL: server.url }), maxSize: 1 });
    endings.push(() => pool.destroy());
    const headers = { authorization: `Bearer ${server.apiKey}` };
    const { use } = pool;
    const status = await use(async ({ get, request, close }) => {
      await request('GET', '/v1/models', { headers });
      const answer = await get('/v1/models', { headers });
      await close();
      return answer.status;
    });
    expect(status).toBe(200);
  });

  it('a describe client', async () => {
    const { describe, stats, health, metrics, report, close } = createDescribeClient({
      apiKey: server.apiKey,
      baseURL: server.baseURL,
    });
    const results = await Promise.all([IMAGE].map((image) => describe(image)));
    expect(results).toMatchObject([{ source: 'upstream' }]);
    expect([stats().calls.succeeded, typeof (await health()).status, typeof report()]).toEqual([1, 'string', 'object']);
    expect(await metrics()).toContain('describe_it_');
    await close();
  });

  it('a fake server', async () => {
    const { baseURL, apiKey, getStats, close } = await startFakeOpenAI();
    const pool = new OpenAIConnectionPool(apiKey, baseURL, { max: 1 });
    await pool.use((client) => client.chat.completions.create(QUESTION));
    await pool.close();
    expect(getStats().requests).toBe(1);
    await close();
  });
});

describe('what the process has one of', () => {
  it('the pools', async () => {
    const { getPool, getStats, closeAll } = poolManager;
    const { use, getStats: statsOfPool } = getPool(server.apiKey, server.baseURL);
    await use((client) => client.chat.completions.create(QUESTION));
    expect(Object.values(getStats())).toEqual([statsOfPool()]);
    await closeAll();
  });

  it('the cache', async () => {
    const { set, get, getStats, generateKey } = getCache();
    const key = generateKey('handles', 'answer');
    await set(key, 42);
    expect([await get(key), getStats().memory.entries]).toEqual([42, 1]);
  });

  it('the monitor', async () => {
    const { incrementCounter, gauge, time, startTimer, endTimer, getHealthStatus } = getPerformanceMonitor();
    incrementCounter('handles');
    gauge('handles_open', 1);
    expect(await time('handling', async () => 'done')).toBe('done');
    expect(endTimer(startTimer('handling'))).toBeGreaterThanOrEqual(0);
    expect(getHealthStatus().checks).toHaveProperty('heapUsedRatio');
  });

  it('the circuit breakers', async () => {
    const { getHealthStatus, get } = circuitBreakerRegistry;
    const call = createCircuitBreaker('handles', async () => 'done');
    expect(await call()).toBe('done');
    expect(getHealthStatus().healthy).toHaveProperty('handles');
    expect(get('handles')?.state).toBe('CLOSED');
  });
});

describe('adapters', () => {
  it('a warmer', async () => {
    const { warmImageDescriptions } = createCacheWarmer(new RedisCache());
    expect(await warmImageDescriptions(['https://example.com/cat.jpg'], async () => 'a cat')).toMatchObject({
      warmed: 1,
    });
  });

  it('a store for Keyv, whose namespace is set later', async () => {
    const cache = new RedisCache();
    const store = createKeyvStore(cache);
    const { set, get, clear } = store;
    store.namespace = 'pages';
    await set('key', 'value');
    expect(await get('key')).toBe('value');
    await clear();
    expect(await get('key')).toBeUndefined();
  });

  it('handlers, of an object whose methods need it', async () => {
    class Ports {
      readonly #status = 'healthy';
      health() {
        return { status: this.#status };
      }
      stats() {
        return { status: this.#status };
      }
      metrics() {
        return `# ${this.#status}\n`;
      }
    }
    const { health, stats, metrics } = createFetchHandlers(new Ports());
    const statuses = await Promise.all(
      [health, stats, metrics].map(async (handler) => (await handler({ method: 'GET' })).status),
    );
    expect(statuses).toEqual([200, 200, 200]);

    const { health: nodeHealth } = createNodeHandlers(new Ports());
    const response = { statusCode: 0, setHeader: () => {}, end: vi.fn() };
    await nodeHealth({ method: 'GET' }, response);
    expect(response.end).toHaveBeenCalledWith('{"status":"healthy"}');
  });

  it('a middleware', async () => {
    const monitor = new PerformanceMonitor();
    endings.push(() => monitor.close());
    const measure = createPerformanceMiddleware(monitor);
    const response = Object.assign(new EventEmitter(), { statusCode: 200, writableFinished: true });
    measure({ method: 'GET', url: '/' }, response, () => {});
    response.emit('finish');
    expect(await monitor.getMetrics()).toContain('http_request_duration_seconds_count{');
  });
});

describe('subscriptions', () => {
  it.each([
    ['a resource pool', () => thingPool().pool.on('closed', () => {})],
    ['a connection pool', () => openPool().on('closed', () => {})],
    ['a cache', () => new RedisCache().on('invalidated', () => {})],
    ['a breaker', () => new CircuitBreaker('handles', async () => 1).on('opened', () => {})],
    ['alerts', () => new PerformanceMonitor().onAlert(() => {})],
    ['reports', () => new PerformanceMonitor({ logger: { info: () => {} } }).startReporting(60_000)],
  ])('of %s end by their function and by its dispose', (_name, subscribe) => {
    const unsubscribe = subscribe();
    const { [Symbol.dispose]: dispose } = unsubscribe;
    expect(() => [unsubscribe(), dispose(), unsubscribe.call(undefined)]).not.toThrow();
  });
});

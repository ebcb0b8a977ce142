import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VisionDescription, VisionDescriptionBatchProcessor } from './batch-processor/index.ts';
import { circuitBreakerRegistry } from './circuit-breaker/index.ts';
import { type OpenAIConnectionPool, poolManager } from './openai/index.ts';
import { PerformanceMonitor, type PerformanceReport } from './performance-monitor/index.ts';
import { getCache, type RedisCache } from './redis-cache/index.ts';
import type { HttpReply, PooledHttpClient, ResourcePool } from './resource-pool/index.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from './testing/index.ts';
import { loadSnippet } from './users-guide.fixture.ts';

const QUESTION: OpenAI.ChatCompletionCreateParamsNonStreaming = {
  model: 'gpt-4.1-mini',
  messages: [{ role: 'user', content: 'Hello' }],
};

/** The guide's `api-key`, which the fake server has to know. */
const KEY = 'api-key';

interface Api {
  readonly baseURL: string;
  close(): Promise<unknown>;
}

const closing = (server: Server) => async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
};

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

/** Answers every chat, the same way, whatever it asks. */
async function startRawServer(): Promise<Api> {
  const completion = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4.1-mini',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'a cat' } }],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  };
  const server = createServer(async (request, response) => {
    await bodyOf(request);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url?.endsWith('/models') ? { data: [] } : completion));
  });
  return { baseURL: `${await listen(server)}/v1`, close: closing(server) };
}

type NextHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Serves a page of Next.js: a parsed body, `status()` and `json()`. */
async function startPage(handler: NextHandler): Promise<{ readonly url: string; close(): Promise<unknown> }> {
  const server = createServer(async (request, response) => {
    const text = await bodyOf(request);
    const next = Object.assign(response, {
      status(code: number) {
        response.statusCode = code;
        return next;
      },
      json(body: unknown) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
      },
    });
    await handler(Object.assign(request, { body: text === '' ? {} : JSON.parse(text) }), next);
  });
  return { url: await listen(server), close: closing(server) };
}

const post = (url: string, body: object) => fetch(url, { method: 'POST', body: JSON.stringify(body) });

const imageOf = (index: number) =>
  `data:image/png;base64,${createTestImage({ width: 8 + index, height: 8 }).toString('base64')}`;

const MONITOR = Symbol.for('@describe-it/sdk/performance-monitor@0');
const CACHE = Symbol.for('@describe-it/sdk/cache@0');
const processWide = globalThis as {
  [MONITOR]?: PerformanceMonitor | undefined;
  [CACHE]?: RedisCache | undefined;
};
const before = { monitor: processWide[MONITOR], cache: processWide[CACHE], environment: process.env };
// How busy this machine is decides no test.
const monitor = new PerformanceMonitor({ alerts: { eventLoopDelayMs: false, heapUsedRatio: false } });
const endings: (() => unknown)[] = [];

beforeAll(() => {
  processWide[MONITOR] = monitor;
  processWide[CACHE] = undefined;
});
beforeEach(() => {
  process.env = { ...before.environment };
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  await poolManager.closeAll();
  for (const name of circuitBreakerRegistry.getAll().keys()) circuitBreakerRegistry.remove(name);
  await getCache().clear();
  process.env = before.environment;
});
afterAll(() => {
  monitor.close();
  processWide[MONITOR] = before.monitor;
  processWide[CACHE] = before.cache;
});

async function useApi(start: () => Promise<Api>): Promise<Api> {
  const api = await start();
  endings.push(() => api.close());
  // The guide names no server: what its snippets take for OpenAI's is this one.
  process.env['OPENAI_BASE_URL'] = api.baseURL;
  return api;
}

const usePage = async (handler: NextHandler) => {
  const page = await startPage(handler);
  endings.push(() => page.close());
  return page.url;
};

const lent = () => Object.values(poolManager.getStats()).map(({ borrowed, waiting }) => borrowed + waiting);

const fakeServer = (): Promise<FakeOpenAI> => startFakeOpenAI({ apiKeys: [KEY] });

describe.each([
  ['the fake server', fakeServer],
  ['a raw HTTP server', startRawServer],
])('connection pooling, against %s', (_name, start) => {
  it('lends a client that is released from its parts', async () => {
    await useApi(start);
    const run = await loadSnippet<(options: object) => Promise<OpenAI.ChatCompletion>>('connection pool');
    expect((await run(QUESTION)).choices).toHaveLength(1);
    expect(lent()).toEqual([0]);
  });

  it('lends a client for one call', async () => {
    await useApi(start);
    const run = await loadSnippet<(options: object) => Promise<OpenAI.ChatCompletion>>('connection pool, wrapper');
    expect((await run(QUESTION)).choices).toHaveLength(1);
    expect(lent()).toEqual([0]);
  });

  it('takes its configuration', async () => {
    const { baseURL } = await useApi(start);
    const run = await loadSnippet<(url: string) => Promise<OpenAIConnectionPool>>('pool configuration');
    const pool = await run(baseURL);
    endings.push(() => pool.close());
    expect(pool.getStats()).toMatchObject({ minSize: 2, maxSize: 10 });
    expect((await pool.use((client) => client.chat.completions.create(QUESTION))).choices).toHaveLength(1);
  });

  it('answers the complete route, eleven times in a row and thirty at once, with ten connections', async () => {
    await useApi(start);
    const url = await usePage(await loadSnippet<NextHandler>('route'));
    const ask = async (index: number) => {
      const response = await post(url, { imageUrl: imageOf(index), prompt: 'Describe', apiKey: KEY });
      const { description } = (await response.json()) as VisionDescription;
      return `${response.status} ${typeof description}`;
    };
    const answers: string[] = [];
    for (let index = 0; index < 11; index += 1) answers.push(await ask(index));
    answers.push(...(await Promise.all(Array.from({ length: 30 }, (_, index) => ask(11 + index)))));
    answers.push(await ask(0));
    expect(new Set(answers)).toEqual(new Set(['200 string']));
    expect(lent()).toEqual([0]);
    const [stats] = Object.values(poolManager.getStats());
    expect(stats?.connections.requests).toBe(41);
  });
});

describe('the complete route', () => {
  it('keeps no connection when the image is no image, or the circuit is open', async () => {
    const server = await fakeServer();
    await useApi(async () => server);
    const url = await usePage(await loadSnippet<NextHandler>('route'));
    const statusOf = async (imageUrl: string) =>
      (await post(url, { imageUrl, prompt: 'Describe', apiKey: KEY })).status;
    const wrong = await Promise.all(
      Array.from({ length: 12 }, (_, index) => statusOf(`http://10.0.0.${index}/cat.jpg`)),
    );
    expect(new Set(wrong)).toEqual(new Set([500]));
    expect(lent()).toEqual([0]);
    expect(await statusOf(imageOf(200))).toBe(200);

    circuitBreakerRegistry.get('vision-api')?.isolate();
    const open = await Promise.all(Array.from({ length: 12 }, (_, index) => statusOf(imageOf(201 + index))));
    expect(new Set(open)).toEqual(new Set([500]));
    expect(lent()).toEqual([0]);
  });

  it('counts and times under the names that the guide gives', async () => {
    await useApi(fakeServer);
    const url = await usePage(await loadSnippet<NextHandler>('route'));
    const names = [
      'api_requests_total',
      'cache_hits_total',
      'cache_misses_total',
      'api_requests_success_total',
      'api_describe_duration_seconds_count',
    ];
    const counts = async () => {
      const text = await monitor.getMetrics();
      return names.map((name) => Number(new RegExp(`^describe_it_${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0));
    };
    const earlier = await counts();
    for (const index of [300, 300]) await post(url, { imageUrl: imageOf(index), apiKey: KEY });
    const later = await counts();
    expect(later.map((count, index) => count - (earlier[index] ?? 0))).toEqual([2, 1, 1, 1, 2]);
  });
});

describe('batching', () => {
  it('describes an image', async () => {
    const { baseURL } = await useApi(startRawServer);
    const run =
      await loadSnippet<
        (client: OpenAI) => Promise<{
          batchProcessor: VisionDescriptionBatchProcessor;
          result: VisionDescription;
        }>
      >('batching');
    const { batchProcessor, result } = await run(new OpenAI({ apiKey: KEY, baseURL }));
    expect(result).toMatchObject({ description: 'a cat', usage: { totalTokens: 12 } });
    await batchProcessor.close();
  });
});

describe('caching', () => {
  it('stores, tags, invalidates, stores many and warms', async () => {
    const run = await loadSnippet<(around: object) => Promise<{ cache: RedisCache; result: unknown }>>('caching');
    const fetcherFunction = vi.fn(async (url: string) => ({ description: url }));
    const { cache, result } = await run({
      data: { a: 1 },
      description: { b: 2 },
      data1: { c: 3 },
      data2: { d: 4 },
      imageUrls: ['https://example.com/cat.jpg', 'https://example.com/dog.jpg'],
      fetcherFunction,
    });
    expect(result).toEqual({ a: 1 });
    expect(await cache.mget(['image:123', 'key1', 'key2'])).toEqual([undefined, { c: 3 }, { d: 4 }]);
    expect(fetcherFunction).toHaveBeenCalledTimes(2);
  });

  it('takes its configuration', async () => {
    const run = await loadSnippet<() => Promise<RedisCache>>('cache configuration');
    const cache = await run();
    // Whether a Redis listens there is not the test's business: without one a cache works from memory.
    expect(await cache.getOrSet('users-guide', () => 'made')).toBe('made');
    await cache.close();
  });
});

describe('the circuit breaker', () => {
  it('passes calls on, and fails fast while it is open', async () => {
    const { baseURL } = await useApi(startRawServer);
    const run =
      await loadSnippet<(client: OpenAI) => Promise<(prompt: string) => Promise<OpenAI.ChatCompletion>>>(
        'circuit breaker',
      );
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    endings.push(() => log.mockRestore());
    const protectedOperation = await run(new OpenAI({ apiKey: KEY, baseURL }));
    expect(log).not.toHaveBeenCalled();
    expect((await protectedOperation('And this?')).choices).toHaveLength(1);
    circuitBreakerRegistry.get('openai-api')?.isolate();
    await run(new OpenAI({ apiKey: KEY, baseURL }));
    expect(log).toHaveBeenCalledExactlyOnceWith('Service unavailable, using cached response');
  });
});

describe('resource pooling', () => {
  it('lends an HTTP client', async () => {
    const server = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ path: request.url }));
    });
    const baseURL = await listen(server);
    endings.push(closing(server));
    const run =
      await loadSnippet<(config: object) => Promise<{ httpPool: ResourcePool<PooledHttpClient>; result: HttpReply }>>(
        'resource pool',
      );
    const { httpPool, result } = await run({ baseURL });
    expect(result).toMatchObject({ status: 200, data: { path: '/api/data' } });
    await httpPool.close();
  });
});

describe('monitoring', () => {
  it('counts, times, measures and reports', async () => {
    const run =
      await loadSnippet<(around: object) => Promise<{ duration: string; report: PerformanceReport }>>('monitoring');
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    endings.push(() => log.mockRestore());
    const around = { processImage: async () => 'done', imageData: new Uint8Array(3), currentQueueSize: 3 };
    const { duration, report } = await run(around);
    expect(duration).toBe('done');
    expect(log).toHaveBeenCalledExactlyOnceWith('Performance Report:', report);
    expect(report.operations).toContainEqual(expect.objectContaining({ name: 'image.processing', count: 1 }));
    expect(report.gauges).toContainEqual({ name: 'queue.size', labels: {}, value: 3 });
  });

  it('measures a page', async () => {
    const url = await usePage(await loadSnippet<NextHandler>('middleware'));
    expect(await (await post(url, { a: 1 })).json()).toEqual({ described: { a: 1 } });
    const text = await monitor.getMetrics();
    expect(text).toMatch(/http_request_duration_seconds_count\{method="POST",route="\/",status="200"\} 1/);
  });
});

describe('the health endpoint', () => {
  it('answers 200, and 503 while a circuit is open', async () => {
    await useApi(fakeServer);
    const route = await usePage(await loadSnippet<NextHandler>('route'));
    await post(route, { imageUrl: imageOf(400), apiKey: KEY });
    const url = await usePage(await loadSnippet<NextHandler>('health'));
    const well = await fetch(url);
    expect(well.status).toBe(200);
    const state = await well.json();
    expect(state).toMatchObject({
      status: 'healthy',
      performance: { status: 'healthy' },
      cache: { hits: expect.any(Number), memory: { entries: 1 } },
      pools: expect.any(Object),
      circuits: { healthy: { 'vision-api': { state: 'CLOSED' } } },
    });
    expect(state).toHaveProperty('circuits.unhealthy', {});

    circuitBreakerRegistry.get('vision-api')?.isolate();
    const ill = await fetch(url);
    expect(ill.status).toBe(503);
    expect(await ill.json()).toMatchObject({
      circuits: { unhealthy: { 'vision-api': { state: 'ISOLATED' } } },
    });
  });
});

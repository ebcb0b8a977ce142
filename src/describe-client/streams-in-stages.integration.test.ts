import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { findRedisServer, startRedisServer } from '../testing/redis-server.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { codeOf, image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { chunk, type Exchange, end, sse, startStreamedApi, streamOf, usage } from './streamed-api.fixture.ts';

const TEXT = 'A small red square.';
const busy = sse(chunk('A small '), { error: { message: 'no', type: 'server_error' } });

const ends: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const stop of ends.splice(0).reverse()) await stop();
});

async function startApi(answer: (exchange: Exchange, index: number) => unknown) {
  const api = await startStreamedApi(answer);
  ends.push(() => api[Symbol.asyncDispose]());
  return api;
}

function clientOf(baseURL: string, options: DescribeClientOptions = {}): DescribeClient {
  const client = createDescribeClient({
    apiKey: 'k',
    baseURL,
    retry: { initialDelayMs: 1, maxDelayMs: 5 },
    ...options,
  });
  ends.push(() => client.destroy());
  return client;
}

async function collect(stream: AsyncIterable<string>): Promise<string[]> {
  const deltas: string[] = [];
  for await (const delta of stream) deltas.push(delta);
  return deltas;
}

describe('a streamed answer', () => {
  it('holds its connection, its slot and its place in the client until its end', async () => {
    const api = await startApi((exchange) => exchange.write(sse(chunk('A small '))));
    const client = clientOf(api.baseURL);
    const stream = client.stream({ image });
    const deltas = stream[Symbol.asyncIterator]();
    await deltas.next();
    const inFlight = () =>
      Object.values(client.stats().routing.endpoints['default']?.models ?? {}).map((route) => route.inFlight);
    expect(inFlight()).toEqual([1]);
    expect(client.stats()).toMatchObject({ calls: { active: 1 }, admission: { calls: 1 } });
    api.exchanges[0]?.end(sse(chunk('square.'), end(), usage));
    await stream.result;
    expect(inFlight()).toEqual([0]);
    expect(client.stats()).toMatchObject({ calls: { active: 0, succeeded: 1 }, admission: { calls: 0 } });
  });

  it('that fails midway counts for the breaker', async () => {
    const api = await startApi((exchange) => exchange.end(busy));
    const client = clientOf(api.baseURL, { circuitBreaker: { failureThreshold: 1 } });
    expect(await codeOf(client.stream({ image, model: 'm' }).result)).toBe('DESCRIBE_UPSTREAM');
    expect(client.breakers['default:m']?.state).toBe('OPEN');
    expect(await codeOf(collect(client.stream({ image, model: 'm' })))).toBe('DESCRIBE_CIRCUIT_OPEN');
    expect(api.exchanges).toHaveLength(1);
  });

  it('that fails midway stays at its endpoint', async () => {
    const api = await startApi((exchange) =>
      exchange.end(sse(chunk('A '), { error: { message: 'no', code: 'insufficient_quota', status: 429 } })),
    );
    const endpoints = ['a', 'b'].map((name) => ({ name, apiKey: name, baseURL: api.baseURL }));
    const client = createDescribeClient({ endpoints });
    ends.push(() => client.destroy());
    const { code } = (await client.stream({ image }).result.catch((error: unknown) => error as { code: string })) as {
      code: string;
    };
    expect(code).toBe('DESCRIBE_QUOTA_EXHAUSTED');
    expect(api.exchanges).toHaveLength(1);
  });

  it('of a fallback model is streamed where the first model delivered nothing', async () => {
    const api = await startApi((exchange) => {
      if (exchange.body['model'] === 'gpt-4o') exchange.end(streamOf(TEXT));
      else exchange.json({ error: { message: 'no' } }, 500);
    });
    const client = clientOf(api.baseURL, { fallback: [{ model: 'gpt-4o' }], retry: false });
    const stream = client.stream({ image, model: 'gpt-4.1-mini' });
    const deltas = await collect(stream);
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join('')).toBe(TEXT);
    expect((await stream.result).explain.fallbacks).toMatchObject([{ kind: 'model', outcome: 'success' }]);
  });

  it('that is stale in the cache is not put in the place of one that began', async () => {
    const clock = new ManualClock();
    let answer = streamOf(TEXT);
    const api = await startApi((exchange) => exchange.end(answer));
    const client = clientOf(api.baseURL, { cache: { graceSeconds: 60 }, fallback: ['stale'], retry: false, clock });
    await client.stream({ image, ttlSeconds: 1 }).result;
    await clock.advance(1_500);
    answer = busy;
    const broken = client.stream({ image });
    expect(await codeOf(collect(broken))).toBe('DESCRIBE_UPSTREAM');
    answer = sse({ error: { message: 'no', type: 'server_error' } });
    const stale = client.stream({ image });
    const result = await stale.result.catch((error: unknown) => error);
    expect(result).toMatchObject({ source: 'stale', description: TEXT });
    expect(await collect(stale)).toEqual([TEXT]);
  });

  it('whose owner fails midway is asked for anew by a joined `describe`', async () => {
    const api = await startApi((exchange) => exchange.write(sse(chunk('A small '))));
    const client = clientOf(api.baseURL);
    const stream = client.stream({ image });
    await stream[Symbol.asyncIterator]().next();
    const described = client.describe({ image });
    api.exchanges[0]?.end(sse({ error: { message: 'no', type: 'server_error' } }));
    expect(await codeOf(stream.result)).toBe('DESCRIBE_UPSTREAM');
    expect((await described).description).toBe('A whole answer.');
  });

  it('of which nothing is cached is refused with `only-if-cached`', async () => {
    const api = await startApi(() => {});
    const client = clientOf(api.baseURL);
    expect(await codeOf(collect(client.stream({ image, cache: 'only-if-cached' })))).toBe('DESCRIBE_CACHE_MISS');
  });

  it.skipIf(findRedisServer() === undefined)('of another process comes as one delta', async () => {
    const redis = await startRedisServer();
    ends.push(() => redis.stop());
    const api = await startApi((exchange) => exchange.write(sse(chunk('A small '))));
    const first = clientOf(api.baseURL, { redis: { url: redis.url } });
    const second = clientOf(api.baseURL, { redis: { url: redis.url } });
    const own = first.stream({ image });
    await own[Symbol.asyncIterator]().next();
    const other = second.stream({ image });
    const deltas = collect(other);
    api.exchanges[0]?.end(sse(chunk('square.'), end()));
    expect(await deltas).toEqual(['A small square.']);
    expect((await other.result).source).toBe('redis');
    expect(api.exchanges).toHaveLength(1);
  });
});

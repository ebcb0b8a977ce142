import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisCache } from '../../redis-cache/index.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from '../../testing/index.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import type { DescribeClient } from '../describe-client.ts';
import type { DescribeClientOptions } from '../options/client-options.ts';
import { type RawServer, startRawServer } from '../raw-server.fixture.ts';

const image = createTestImage({ seed: 4 });
/** A host that serves its image only under the right signature. */
const startHost = () =>
  startRawServer((request, response) => {
    const isSigned = request.url?.includes('X-Amz-Signature=right') === true;
    response.statusCode = isSigned ? 200 : 403;
    response.end(isSigned ? image : undefined);
  });
let host: RawServer;
let server: FakeOpenAI;
let hostUrl: string;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  host = await startHost();
  hostUrl = host.origin;
  server = await startFakeOpenAI();
});
afterEach(async () => {
  for (const disposable of open.splice(0).reverse()) await disposable[Symbol.asyncDispose]();
  server.setFaults([]);
  server.reset();
});
afterAll(async () => {
  await Promise.all([server.close(), host.close()]);
});

const start = (options: DescribeClientOptions = {}): DescribeClient => {
  const { apiKey, baseURL } = server;
  const client = createDescribeClient({
    apiKey,
    baseURL,
    pool: { min: 1, max: 8 },
    monitor: false,
    ...options,
  });
  open.push(client);
  return client;
};
const sharedCache = (): RedisCache => {
  const cache = new RedisCache();
  open.push(cache);
  return cache;
};
const sourceOf = async (client: DescribeClient, cacheScope?: string) =>
  (await client.describe(image, { cacheScope })).source;

describe('descriptions of differing cacheScopes', () => {
  it('are not shared between clients, nor between requests of one client', async () => {
    const cache = sharedCache();
    const [anyone, a, b] = [start({ cache }), start({ cache, cacheScope: 'a' }), start({ cache, cacheScope: 'b' })];
    const sources = [];
    for (const client of [anyone, a, b, a]) sources.push(await sourceOf(client));
    expect(sources).toEqual(['upstream', 'upstream', 'upstream', 'memory']);
    expect([await sourceOf(a, 'inner'), await sourceOf(a, 'inner')]).toEqual(['upstream', 'memory']);
    // A request can name a scope only inside its client's.
    expect(await sourceOf(b, 'inner')).toBe('upstream');
    expect(await sourceOf(b, 'a')).toBe('upstream');
    expect(await sourceOf(anyone, 'a')).toBe('memory');
  });

  it('are not shared while they are made, cached or not', async () => {
    server.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 30 } } }]);
    const client = start();
    for (const mode of ['default', 'no-store'] as const) {
      server.reset();
      const scopes = ['a', 'a', 'b'];
      await Promise.all(scopes.map((cacheScope) => client.describe(image, { cacheScope, cache: mode })));
      expect(server.getStats().requests).toBe(2);
    }
  });

  it('are invalidated each on its own', async () => {
    const client = start();
    for (const scope of ['a', 'b']) await sourceOf(client, scope);
    await client.invalidate(image, { cacheScope: 'a' });
    expect([await sourceOf(client, 'a'), await sourceOf(client, 'b')]).toEqual(['upstream', 'memory']);
  });

  it('do not open an image to who can name its URL but not download it', async () => {
    const client = start({ images: { allowHosts: ['127.0.0.1'], imageIdentity: 'content' } });
    const url = (signature: string) => `${hostUrl}/a.png?X-Amz-Algorithm=a&X-Amz-Signature=${signature}`;
    await client.describe(url('right'), { cacheScope: 'owner' });
    await expect(client.describe(url('wrong'), { cacheScope: 'other' })).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FETCH_FAILED',
    });
  });

  it('never share a pack', async () => {
    const client = start({ cache: false, batch: { batchSize: 4, maxBatchWaitMs: 50 } });
    const images = Array.from({ length: 8 }, (_, seed) => createTestImage({ seed: 40 + seed }));
    const results = await Promise.all(
      images.map((one, index) => client.describe(one, { cacheScope: index % 2 === 0 ? 'a' : 'b' })),
    );
    const packs = new Map<string | undefined, Set<number>>();
    for (const [index, { requestId }] of results.entries()) {
      packs.set(requestId, (packs.get(requestId) ?? new Set()).add(index % 2));
    }
    expect([...packs.values()].every((scopes) => scopes.size === 1)).toBe(true);
    expect(Math.max(...results.map(({ explain }) => explain.batchSize))).toBeGreaterThan(1);
  });

  it('are refused with a scope that is none', async () => {
    expect(() => start({ cacheScope: '' })).toThrow(/cacheScope: expected a non-empty string of at most 256/);
    await expect(start().describe(image, { cacheScope: 'x'.repeat(257) })).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
    });
  });
});

describe('one Redis under several servers', () => {
  it('gives each client only what a server of its own has said', async () => {
    const cache = sharedCache();
    const other = await startFakeOpenAI();
    open.push(other);
    const { baseURL } = other;
    await sourceOf(start({ cache, apiKey: other.apiKey, baseURL }));
    const named = { apiKey: other.apiKey, baseURL, model: 'gpt-4.1-nano' };
    expect(await sourceOf(start({ cache, apiKey: undefined, baseURL: undefined, endpoints: [named] }))).toBe(
      'upstream',
    );
    expect(await sourceOf(start({ cache }))).toBe('upstream');
  });
});

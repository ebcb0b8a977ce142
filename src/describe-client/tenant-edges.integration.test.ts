import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import { codeOf, image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

const disposables = useDisposables();

/** A client of an API that describes every image by the key that it was asked with. */
async function start(options: DescribeClientOptions = {}) {
  const api = await startRawApi(({ headers }) => ({
    body: completion(String(headers.authorization).replace('Bearer ', '')),
  }));
  const client = createDescribeClient({ apiKey: 'sk-parent', baseURL: api.baseURL, retry: false, ...options });
  disposables.push(api, client);
  return { client, posts: () => api.seen.filter(({ method }) => method === 'POST') };
}

const text = async (client: DescribeClient, options = {}) => (await client.describe(image, options)).description;

describe('the key function of a tenant', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no key');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no key'))],
    ['gives nothing', () => undefined],
    ['gives what is no key', () => 'sk\nkey'],
    [
      'gives a promise that breaks',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the case.
        then() {
          throw new Error('no promise');
        },
      }),
    ],
  ])('that %s fails its own calls alone', async (_what, provide) => {
    const { client, posts } = await start();
    const tenant = client.withKey(provide as () => string, { cacheScope: 'a' });
    expect(await codeOf(tenant.describe(image))).toBe('DESCRIBE_AUTH');
    expect(await codeOf(tenant.stream(image).result)).toBe('DESCRIBE_AUTH');
    expect(await text(client.withKey('sk-b'))).toBe('sk-b');
    expect(await text(client)).toBe('sk-parent');
    expect(posts()).toHaveLength(2);
  });

  it('that hangs holds a call no longer than its timeout, and a close no longer than its calls', async () => {
    const clock = new ManualClock();
    const { client } = await start({ clock, timeoutMs: 1_000 });
    const tenant = client.withKey(() => new Promise<string>(() => {}), { cacheScope: 'a' });
    const called = codeOf(tenant.describe(image));
    const closed = tenant.close();
    expect(await text(client.withKey('sk-b'))).toBe('sk-b');
    await clock.advance(1_000);
    expect(await called).toBe('DESCRIBE_TIMEOUT');
    await closed;
    expect(client.stats().tenants).toMatchObject({ size: 1, waiting: 0 });
  });

  it('that gives another key each time is asked for each request', async () => {
    const { client } = await start();
    let made = 0;
    const tenant = client.withKey(() => `sk-${++made}`, { cacheScope: 'a' });
    const seen: string[] = [];
    for (const prompt of ['a', 'b', 'c', 'a']) seen.push(await text(tenant, { prompt }));
    expect(seen).toEqual(['sk-1', 'sk-2', 'sk-3', 'sk-1']);
  });
});

describe('the scope of a tenant', () => {
  it('is never that of another, whatever delimiters it has', async () => {
    const { client, posts } = await start({ cacheScope: 'p' });
    const scopes = ['a', 'a:b', 'a b', 'a/b', 'a","b', '["a","b"]', 'a\\', 'a%3Ab', ' a', 'A', 'p', '__proto__'];
    for (const [index, cacheScope] of scopes.entries()) {
      expect(await text(client.withKey(`sk-${index}`, { cacheScope })), cacheScope).toBe(`sk-${index}`);
    }
    // A scope within the scope of a tenant is no other tenant's.
    const tenant = client.withKey('sk-x', { cacheScope: 'a' });
    for (const cacheScope of ['b', ':b', 'b"]']) expect(await text(tenant, { cacheScope })).toBe('sk-x');
    expect(posts()).toHaveLength(scopes.length + 3);
    // Tenants with one scope share it.
    expect(await text(client.withKey('sk-y', { cacheScope: 'a:b' }))).toBe('sk-1');
  });

  it('is refused at once where it is too long', async () => {
    const { client } = await start();
    expect(() => client.withKey('sk-a', { cacheScope: 's'.repeat(10_240) })).toThrow(/cacheScope.*at most 256/);
  });
});

describe('two clients of one tenant', () => {
  it.each(['close', 'destroy'] as const)('go on each when the other ends: %s', async (end) => {
    const { client } = await start();
    const [one, other] = [client.withKey('sk-a'), client.withKey('sk-a')];
    const running = text(other, { prompt: '1' });
    await one[end](new Error('the other one'));
    expect(await running).toBe('sk-a');
    expect(await text(other, { prompt: '2' })).toBe('sk-a');
    await expect(one.describe(image, { prompt: '3' })).rejects.toThrow();
  });
});

it('the client of a tenant makes no new parts each time that somebody looks at it after its end', async () => {
  const { client } = await start();
  const tenant = client.withKey('sk-a');
  await text(tenant);
  await tenant.close();
  const { pools } = tenant;
  expect(tenant.pools).toBe(pools);
  expect(tenant.stats().pools['default']?.size).toBe(0);
  expect(client.stats().tenants?.size).toBe(0);
});

describe('tenants above the maximum', () => {
  it('are evicted as their calls end, and work on', async () => {
    const { client } = await start({ tenants: { max: 3, maxConnections: 4 } });
    const keys = Array.from({ length: 30 }, (_, index) => `sk-${index}`);
    const tenants = keys.map((key) => client.withKey(key));
    for (const prompt of ['1', '2']) {
      const described = Promise.all(tenants.map((tenant) => text(tenant, { prompt })));
      expect(client.stats().tenants?.size).toBeGreaterThanOrEqual(30);
      expect(await described).toEqual(keys);
      expect(client.stats().tenants).toMatchObject({ size: 3, waiting: 0 });
    }
    expect(client.stats().tenants?.evicted).toBeGreaterThanOrEqual(2 * 27);
  });
});

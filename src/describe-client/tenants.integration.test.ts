import { describe, expect, it, vi } from 'vitest';
import { MAJOR_VERSION } from '../internal/modules/process-singleton.ts';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { codeOf, image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { type Arrived, completion, type RawReply, startRawApi } from './raw-api.fixture.ts';

const keyOf = ({ headers }: Arrived): string => String(headers.authorization).replace('Bearer ', '');

/** An API that describes every image by the key that it was asked with, and a client of it. */
async function apiOf(
  options: DescribeClientOptions = {},
  reply: (arrived: Arrived) => RawReply | Promise<RawReply> = (arrived) => ({ body: completion(keyOf(arrived)) }),
) {
  const api = await startRawApi(reply);
  const client = createDescribeClient({ apiKey: 'sk-parent', baseURL: api.baseURL, retry: false, ...options });
  return {
    api,
    client,
    posts: () => api.seen.filter(({ method }) => method === 'POST'),
    [Symbol.asyncDispose]: async () => {
      await client.destroy();
      await api[Symbol.asyncDispose]();
    },
  };
}

const text = async (client: DescribeClient, options = {}) => (await client.describe(image, options)).description;

/** What `withKey` says is wrong. */
const wrongOf = (client: DescribeClient, ...given: readonly unknown[]): string => {
  try {
    (client.withKey as (...args: readonly unknown[]) => unknown)(...given);
    return 'nothing';
  } catch (error) {
    expect(error).toMatchObject({ code: 'DESCRIBE_CONFIG_INVALID' });
    return String(error);
  }
};

describe('withKey', () => {
  it('gives each tenant its own key and its own descriptions, and shares one tenant between its clients', async () => {
    await using use = await apiOf();
    const { client, posts } = use;
    const [a, again, b] = [client.withKey('sk-a'), client.withKey('sk-a'), client.withKey('sk-b')];
    expect([await text(client), await text(a), await text(b)]).toEqual(['sk-parent', 'sk-a', 'sk-b']);
    expect([await text(again), await text(b), await text(client)]).toEqual(['sk-a', 'sk-b', 'sk-parent']);
    expect(posts()).toHaveLength(3);
    expect(again.pools['default']).toBe(a.pools['default']);
    expect(b.pools['default']).not.toBe(a.pools['default']);
    expect({ cache: a.cache === client.cache, monitor: a.monitor === client.monitor }).toEqual({
      cache: true,
      monitor: true,
    });
  });

  it("nests a tenant's scope below its client's, and a request's below the tenant's", async () => {
    await using use = await apiOf({ cacheScope: 'shop' });
    const { client, posts } = use;
    const [a, b] = [client.withKey('sk-a', { cacheScope: 't' }), client.withKey('sk-b', { cacheScope: 't' })];
    // A scope of their own is what they share.
    expect([await text(a), await text(b)]).toEqual(['sk-a', 'sk-a']);
    expect(await text(client)).toBe('sk-parent');
    expect(await text(a, { cacheScope: 't' })).toBe('sk-a');
    expect(posts()).toHaveLength(3);
  });

  it("sends its own headers, and none of its client's organization, project and headers", async () => {
    await using use = await apiOf({ organization: 'org-p', project: 'proj-p', headers: { 'x-gateway': 'secret-p' } });
    const { client, posts } = use;
    await text(client.withKey('sk-a', { headers: { 'x-tenant': 'a' } }));
    await text(client);
    const [tenant, parent] = posts().map(({ headers }) => headers);
    expect(tenant).toMatchObject({ authorization: 'Bearer sk-a', 'x-tenant': 'a' });
    for (const name of ['openai-organization', 'openai-project', 'x-gateway']) {
      expect(tenant).not.toHaveProperty(name);
      expect(parent).toHaveProperty(name);
    }
  });

  it('takes a function as key, with a scope', async () => {
    await using use = await apiOf();
    const { client, posts } = use;
    let made = 0;
    const provide = () => {
      made += 1;
      return `sk-${made}`;
    };
    const tenant = client.withKey(provide, { cacheScope: 'one' });
    expect(await text(tenant)).toBe('sk-1');
    expect(await text(client.withKey(provide, { cacheScope: 'one' }), { prompt: 'Again' })).toBe('sk-2');
    expect(posts()).toHaveLength(2);
    expect(Object.keys(client.stats().tenants?.byHash ?? {})).toHaveLength(1);
  });

  it('names tenants in stats by a hash that nobody can compute from a guess of the key', async () => {
    await using use = await apiOf();
    const namesOf = async () => {
      await using client = createDescribeClient({ apiKey: 'sk-parent', baseURL: use.api.baseURL });
      await Promise.all(['sk-a', 'sk-b', 'sk-a'].map((key) => text(client.withKey(key))));
      return Object.keys(client.stats().tenants?.byHash ?? {});
    };
    const names = await namesOf();
    expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect(await namesOf()).toEqual(names);
    // The salt of another process.
    const salt = Symbol.for(`@describe-it/sdk/tenant-salt@${MAJOR_VERSION}`);
    const store = globalThis as unknown as Record<symbol, unknown>;
    const before = store[salt];
    store[salt] = undefined;
    const others = await namesOf();
    expect(others.filter((name) => names.includes(name))).toEqual([]);
    store[salt] = before;
    expect(await namesOf()).toEqual(names);
  });

  it('shows the stats of many tenants without a snapshot of each pool', () => {
    const client = createDescribeClient({ apiKey: 'sk-parent' });
    for (let index = 0; index < 50; index += 1) void client.withKey(`sk-${index}`).pools;
    const snapshots = vi.spyOn(OpenAIConnectionPool.prototype, 'getStats');
    expect(client.stats().tenants).toMatchObject({ size: 50, connections: 0 });
    expect(snapshots).toHaveBeenCalledTimes(1);
    snapshots.mockRestore();
    return client.close();
  });

  it('replaces the key of the endpoint that is named, where there are several', async () => {
    await using other = await startRawApi((arrived) => ({ body: completion(`other ${keyOf(arrived)}`) }));
    await using use = await apiOf();
    const endpoints = [
      { name: 'eu', apiKey: 'sk-eu', baseURL: other.baseURL },
      { name: 'us', apiKey: 'sk-us', baseURL: use.api.baseURL },
    ];
    const client = createDescribeClient({ endpoints });
    expect(wrongOf(client, 'sk-a')).toMatch(/endpoint.*eu, us.*nothing/);
    expect(wrongOf(client, 'sk-a', { endpoint: 'asia' })).toMatch(/endpoint.*eu, us.*asia/);
    expect(await text(client.withKey('sk-a', { endpoint: 'eu' }))).toBe('other sk-a');
    expect(await text(client.withKey('sk-a', { endpoint: 'us' }), { cache: 'no-store' })).toBe('sk-a');
    await client.close();
  });

  it('says at once what is wrong, and never shows a key', async () => {
    const client = createDescribeClient({ apiKey: 'sk-parent' });
    const wrong = [
      wrongOf(client, undefined),
      wrongOf(client, 'sk with spaces'),
      wrongOf(client, () => 'sk-a'),
      wrongOf(client, 'sk-secret', { cacheScope: '', headers: { a: 5 }, limits: { tokensPerMinute: 0 }, scop: 'x' }),
      wrongOf(client.withKey('sk-a'), 'sk-b'),
    ];
    expect(wrong[0]).toMatch(/apiKey.*a key.*nothing/);
    expect(wrong[1]).toMatch(/apiKey.*printable ASCII/);
    expect(wrong[2]).toMatch(/cacheScope.*a key that is a function/);
    expect(wrong[3]).toMatch(/scop.*cacheScope.*headers.*limits.tokensPerMinute/s);
    expect(wrong[4]).toMatch(/the client that this tenant came from/);
    expect(wrong.join()).not.toMatch(/sk with|sk-secret|sk-b/);
    const ofPools = createDescribeClient({ apiKey: 'sk', pool: () => client.pools['default'] as never });
    expect(wrongOf(ofPools, 'sk-a')).toMatch(/pool.*must own the connections/);
    for (const tenants of [{ max: 0 }, { maxConnections: 0.5 }, { most: 5 }, 5]) {
      expect(() => createDescribeClient({ tenants: tenants as object })).toThrow(/tenants/);
    }
    await client.close();
    await ofPools.close();
  });

  it('has breakers, limits and refused keys of its own', async () => {
    await using use = await apiOf({ circuitBreaker: { failureThreshold: 1 } }, (arrived) =>
      keyOf(arrived) === 'sk-bad' ? { status: 500, body: {} } : { body: completion(keyOf(arrived)) },
    );
    const { client } = use;
    const [bad, good] = [client.withKey('sk-bad'), client.withKey('sk-good')];
    expect(await codeOf(bad.describe(image))).toBe('DESCRIBE_UPSTREAM');
    expect(await codeOf(bad.describe(image))).toBe('DESCRIBE_CIRCUIT_OPEN');
    expect([await text(good), await text(client)]).toEqual(['sk-good', 'sk-parent']);
    expect((await bad.health()).status).toBe('unhealthy');
    expect((await good.health()).status).toBe('healthy');
  });

  it('packs the images of one tenant, and never those of two', async () => {
    await using use = await apiOf({ batch: { batchSize: 2, maxBatchWaitMs: 20 } });
    const { client, posts } = use;
    const keys = ['sk-a', 'sk-b'];
    await Promise.all(keys.map((key) => text(client.withKey(key)).catch(() => {})));
    expect(posts().map(keyOf).sort()).toEqual(keys);
  });
});

describe('a tenant out of use', () => {
  it('is evicted above max and made anew at its next call, for the same client', async () => {
    await using use = await apiOf({ tenants: { max: 2 }, cache: false });
    const { client } = use;
    const tenants = ['sk-a', 'sk-b', 'sk-c'].map((key) => client.withKey(key));
    for (const tenant of tenants) await text(tenant);
    expect(client.stats().tenants).toMatchObject({ size: 2, evicted: 1 });
    expect(await Promise.all(tenants.map((tenant) => text(tenant)))).toEqual(['sk-a', 'sk-b', 'sk-c']);
    expect(client.stats().tenants?.size).toBe(2);
  });

  it('is never evicted with a call in work', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await using use = await apiOf({ tenants: { max: 1 } }, async (arrived) => {
      if (keyOf(arrived) === 'sk-slow') await answered;
      return { body: completion(keyOf(arrived)) };
    });
    const { client, posts } = use;
    const slow = text(client.withKey('sk-slow'));
    while (posts().length === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    expect(await text(client.withKey('sk-b'))).toBe('sk-b');
    answer();
    expect(await slow).toBe('sk-slow');
    expect(client.stats().tenants).toMatchObject({ size: 1 });
  });

  it('is evicted when it had no call for ten minutes', async () => {
    const clock = new ManualClock();
    const client = createDescribeClient({ apiKey: 'sk-parent', clock });
    const tenant = client.withKey('sk-a');
    expect(tenant.pools['default']).toBeDefined();
    expect(client.stats().tenants).toMatchObject({ size: 1, evicted: 0 });
    await clock.advance(900_001);
    const { tenants } = client.stats();
    expect(tenants).toMatchObject({ size: 0, evicted: 1 });
    expect(tenants?.byHash).toEqual({});
    await client.close();
  });

  it('keeps a describeMany of its client going', async () => {
    await using use = await apiOf({ tenants: { max: 1 }, cache: false });
    const { client } = use;
    const tenant = client.withKey('sk-a');
    const found: string[] = [];
    async function* inputs() {
      for (let index = 0; index < 3; index += 1) {
        yield image;
        await text(client.withKey(`sk-other-${index}`));
      }
    }
    for await (const item of tenant.describeMany(inputs(), { concurrency: 1 })) {
      found.push(item.status === 'fulfilled' ? item.value.description : String(item.reason));
    }
    expect(found).toEqual(['sk-a', 'sk-a', 'sk-a']);
  });
});

describe('the end of tenants', () => {
  it("ends a tenant's client alone, and its connections", async () => {
    await using use = await apiOf({ cache: false });
    const { client } = use;
    const [a, again, b] = [client.withKey('sk-a'), client.withKey('sk-a'), client.withKey('sk-b')];
    await Promise.all([text(a), text(b)]);
    expect(client.stats().tenants?.connections).toBe(2);
    await a.close();
    expect(await codeOf(a.describe(image))).toBe('DESCRIBE_CLOSED');
    expect(client.stats().tenants).toMatchObject({ size: 1, connections: 1 });
    expect([await text(again), await text(b), await text(client)]).toEqual(['sk-a', 'sk-b', 'sk-parent']);
    expect(a.stats().calls.active).toBe(0);
  });

  it('aborts the calls of the client that is destroyed, and no others', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await using use = await apiOf({ cache: false }, async (arrived) => {
      await answered;
      return { body: completion(keyOf(arrived)) };
    });
    const { client, posts } = use;
    const [first, second] = [client.withKey('sk-a'), client.withKey('sk-a')];
    const calls = [first.describe(image, { prompt: '1' }), second.describe(image, { prompt: '2' })];
    const outcomes = Promise.all(calls.map((call) => codeOf(call)));
    while (posts().length < 2) await new Promise((resolve) => void setTimeout(resolve, 5));
    const reason = new Error('enough');
    const destroyed = first.destroy(reason);
    answer();
    await destroyed;
    expect(await outcomes).toEqual([reason, 'fulfilled']);
  });

  it('comes for all with the end of their client, which waits for their calls', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await using use = await apiOf({}, async (arrived) => {
      await answered;
      return { body: completion(keyOf(arrived)) };
    });
    const { client, posts } = use;
    const tenant = client.withKey('sk-a');
    const call = text(tenant);
    while (posts().length === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    const closed = client.close();
    expect(await codeOf(tenant.describe(image, { prompt: 'Late' }))).toBe('DESCRIBE_CLOSED');
    expect(await codeOf(client.withKey('sk-b').describe(image))).toBe('DESCRIBE_CLOSED');
    answer();
    expect(await call).toBe('sk-a');
    await closed;
    expect(client.stats().tenants).toMatchObject({ size: 0, connections: 0 });
  });

  it('rejects their calls with the reason of a destroyed client', async () => {
    await using use = await apiOf({}, () => new Promise(() => {}));
    const { client, posts } = use;
    const call = codeOf(client.withKey('sk-a').describe(image));
    while (posts().length === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    const reason = new Error('enough');
    await client.destroy(reason);
    expect(await call).toBe(reason);
  });
});

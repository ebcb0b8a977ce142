import { describe, expect, it } from 'vitest';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { createTestImage } from '../testing/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { type Arrived, completion, type RawReply, startRawApi } from './raw-api.fixture.ts';

const disposables = useDisposables();

async function startApi(reply: (arrived: Arrived) => RawReply = () => ({ body: completion('fine') })) {
  const api = await startRawApi(reply);
  disposables.push(api);
  return api;
}

function clientOf(options: DescribeClientOptions) {
  const client = createDescribeClient({ cache: false, monitor: false, retry: false, ...options });
  disposables.push(client);
  return client;
}

let seed = 0;
const image = () => {
  seed += 1;
  return createTestImage({ seed });
};

describe('a key that a function gives', () => {
  it('is asked for before each request, health checks and own calls of a lent client included', async () => {
    const api = await startApi();
    let asked = 0;
    const apiKey = () => {
      asked += 1;
      return `token-${asked}`;
    };
    const client = clientOf({ apiKey, baseURL: api.baseURL, pool: { min: 1, max: 1 } });
    await client.describe(image());
    await client.describe(image());
    const pool = client.pools['default'];
    await pool?.healthCheck();
    await pool?.use((lent) => lent.chat.completions.create({ model: 'm', messages: [] }));
    const tokens = api.seen.map(({ headers }) => headers.authorization);
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens).size).toBe(4);
    expect(asked).toBe(4);
  });

  it('is asked for once by requests at the same time', async () => {
    const api = await startApi();
    let give = (_key: string) => {};
    let asked = 0;
    const apiKey = () => {
      asked += 1;
      return new Promise<string>((resolve) => {
        give = resolve;
      });
    };
    const client = clientOf({ apiKey, baseURL: api.baseURL, limits: { requestsPerMinute: 10_000 } });
    const described = Promise.all(Array.from({ length: 4 }, () => client.describe(image())));
    await expect.poll(() => client.stats().routing.inFlight).toBe(4);
    await expect.poll(() => asked).toBe(1);
    give('token');
    await described;
    expect(asked).toBe(1);
    expect(api.seen.every(({ headers }) => headers.authorization === 'Bearer token')).toBe(true);
  });

  it.each<[string, () => string | Promise<string>]>([
    ['rejects', () => Promise.reject(new Error('no token today'))],
    [
      'throws',
      () => {
        throw new Error('no token today');
      },
    ],
    ['gives none', () => ''],
    ['gives what no header can hold', () => 'a b'],
  ])('and %s is DESCRIBE_AUTH with the cause; the next call asks again', async (_how, failing) => {
    const api = await startApi();
    let fails = true;
    const client = clientOf({ apiKey: () => (fails ? failing() : 'token'), baseURL: api.baseURL });
    const failure = await client.describe(image()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'DESCRIBE_AUTH', cause: expect.any(Error) });
    expect(api.seen).toHaveLength(0);
    fails = false;
    expect((await client.describe(image())).description).toBe('fine');
  });

  it('and hangs is bounded by the attempt, and an abort leaves at once', async () => {
    const api = await startApi();
    const clock = new ManualClock();
    let asked = 0;
    const apiKey = () => {
      asked += 1;
      return new Promise<string>(() => {});
    };
    const client = clientOf({ apiKey, baseURL: api.baseURL, clock, attemptTimeoutMs: 1_000 });
    const aborter = new AbortController();
    const aborted = client.describe(image(), { signal: aborter.signal }).catch((error: unknown) => error);
    const late = client.describe(image()).catch((error: unknown) => error);
    await expect.poll(() => asked).toBe(1);
    await expect.poll(() => client.stats().routing.inFlight).toBe(2);
    aborter.abort('enough');
    expect(await aborted).toBe('enough');
    await clock.advance(1_000);
    expect(await late).toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
    await clock.advance(30_000);
    client.describe(image()).catch(() => {});
    await expect.poll(() => asked).toBe(2);
    await client.destroy();
  });

  it('moves the calls to another endpoint while it gives none', async () => {
    const api = await startApi();
    const failing = () => Promise.reject(new Error('no token'));
    const client = clientOf({
      endpoints: [
        { name: 'a', apiKey: failing, baseURL: api.baseURL },
        { name: 'b', apiKey: 'k', baseURL: api.baseURL },
      ],
    });
    for (let call = 0; call < 3; call += 1) expect((await client.describe(image())).description).toBe('fine');
  });

  it('makes a pool tell its failure from warmUp and healthCheck', async () => {
    const api = await startApi();
    const pool = new OpenAIConnectionPool(() => Promise.reject(new Error('no token')), api.baseURL, {
      min: 1,
    });
    disposables.push(pool);
    await expect(pool.warmUp()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    expect(await pool.healthCheck()).toMatchObject({ status: 'unhealthy', failed: 0, keyRefused: false });
  });
});

describe('an address of Azure', () => {
  const CLASSIC = '/openai/deployments/dep/chat/completions?api-version=2024-10-21';

  it.each<[string, { readonly baseURL: string; readonly apiVersion?: string }, string]>([
    ['the bare resource', { baseURL: '', apiVersion: '2024-10-21' }, CLASSIC],
    ['…/', { baseURL: '/', apiVersion: '2024-10-21' }, CLASSIC],
    ['…/openai', { baseURL: '/openai', apiVersion: '2024-10-21' }, CLASSIC],
    ['a deployment', { baseURL: '/openai/deployments/dep', apiVersion: '2024-10-21' }, CLASSIC],
    ['the target URI', { baseURL: CLASSIC }, CLASSIC],
    [
      '…/openai/v1 with a version',
      { baseURL: '/openai/v1?api-version=preview' },
      '/openai/v1/chat/completions?api-version=preview',
    ],
    [
      'models of Foundry',
      { baseURL: '/models?api-version=2024-05-01-preview' },
      '/models/chat/completions?api-version=2024-05-01-preview',
    ],
  ])('(%s) gets its path, and the key in its own header', async (_name, { baseURL, ...options }, expected) => {
    const api = await startApi();
    const endpoint = { apiKey: 'k', model: 'dep', baseURL: api.origin + baseURL, ...options };
    await clientOf({ endpoints: [endpoint] }).describe(image());
    const [arrived] = api.seen;
    expect(arrived?.url).toBe(expected);
    expect(arrived?.headers).toMatchObject({ 'api-key': 'k' });
    expect(arrived?.headers).not.toHaveProperty('authorization');
  });

  it.each(['/openai?api-version=2024-10-21', '/openai/v1?api-version=preview'])(
    'gets a token of a function as a bearer: %s',
    async (path) => {
      const api = await startApi();
      await clientOf({ apiKey: async () => 'token', baseURL: api.origin + path }).describe(image());
      expect(api.seen[0]?.headers).toMatchObject({ authorization: 'Bearer token' });
      expect(api.seen[0]?.headers).not.toHaveProperty('api-key');
    },
  );

  it.each(['?key=secret', '#f', '?api-version=1&x=y'])('with %s is refused at construction', (rest) => {
    const baseURL = `https://api.example/v1${rest}`;
    for (const options of [{ apiKey: 'k', baseURL }, { endpoints: [{ apiKey: 'k', baseURL }] }]) {
      expect(() => createDescribeClient(options)).toThrow(/baseURL: expected a URL w/);
    }
    expect(() => new OpenAIConnectionPool('k', baseURL)).toThrow(/baseURL: expected a URL w/);
  });
});

import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '../errors/upstream-error.ts';
import { createTestImage, type FaultRule, startFakeOpenAI } from '../testing/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import type { EndpointOptions } from './options/endpoint-options.ts';
import { completion, type RawReply, startRawApi } from './raw-api.fixture.ts';

const disposables = useDisposables();

/** A client that has made some calls while the API failed with this answer. */
const clientAfter = async (
  faults: readonly FaultRule[],
  endpoints: readonly Partial<EndpointOptions>[],
  model?: string,
) => {
  const fake = await startFakeOpenAI({ apiKeys: ['sk-a', 'sk-b'], faults });
  const client = createDescribeClient({
    endpoints: endpoints.map((endpoint) => ({ apiKey: 'sk-a', baseURL: fake.baseURL, ...endpoint })),
    circuitBreaker: { failureThreshold: 2 },
    retry: false,
    cache: false,
    monitor: false,
  });
  disposables.push(fake, client);
  for (let seed = 0; seed < 12; seed += 1) {
    await client.describe(createTestImage({ seed }), { model, timeoutMs: 200 }).catch(() => {});
  }
  return client;
};

const failing = (apiKey: string, status: number, code?: string): FaultRule => ({
  when: { apiKey, endpoint: 'chat' },
  fault: { kind: 'error', status, ...(code === undefined ? {} : { code }) },
});

const TWO = [
  { name: 'a', apiKey: 'sk-a' },
  { name: 'b', apiKey: 'sk-b' },
];

describe('health() without a way to a new description', () => {
  it('is unhealthy where one key is refused and the breaker of the other is open', async () => {
    const client = await clientAfter([failing('sk-a', 401, 'invalid_api_key'), failing('sk-b', 500)], TWO);
    expect((await client.health()).status).toBe('unhealthy');
  });

  it('is unhealthy where the only breaker in use is open, of whatever model it is', async () => {
    for (const [endpoint, model] of [
      [{ model: 'gpt-4o-mini' }, undefined],
      [{}, 'gpt-4o'],
    ] as const) {
      const client = await clientAfter([failing('sk-a', 500)], [endpoint], model);
      expect((await client.health()).status).toBe('unhealthy');
    }
  });
});

it('health() is unhealthy where every breaker was isolated before the first call', async () => {
  await using client = createDescribeClient({ apiKey: 'sk', cache: false, monitor: false });
  for (const breaker of Object.values(client.breakers)) breaker.isolate();
  expect((await client.health()).status).toBe('unhealthy');
});

describe('health() beside a way that works', () => {
  it('is degraded', async () => {
    const client = await clientAfter([failing('sk-a', 401, 'invalid_api_key')], TWO);
    expect((await client.health()).status).toBe('degraded');
  });

  it('is healthy where somebody asked for a model that there is not', async () => {
    const faults = ['sk-a', 'sk-b'].map((key) => failing(key, 404, 'model_not_found'));
    const client = await clientAfter(faults, TWO, 'gpt-4.1-mimi');
    expect((await client.health()).status).toBe('healthy');
  });
});

describe('health() after one refusal', () => {
  const REFUSED = { message: 'Incorrect API key provided', code: 'invalid_api_key' };

  async function clientOf(reply: (posts: number) => RawReply) {
    let posts = 0;
    const api = await startRawApi(({ method }) => {
      if (method === 'GET') return { body: { object: 'list', data: [] } };
      posts += 1;
      return reply(posts);
    });
    const clock = new ManualClock();
    const client = createDescribeClient({
      apiKey: 'k',
      baseURL: api.baseURL,
      cache: false,
      monitor: false,
      retry: false,
      clock,
    });
    const describeOne = () => {
      seed += 1;
      return client.describe(createTestImage({ seed }));
    };
    const end = async () => {
      await client.destroy();
      await api[Symbol.asyncDispose]();
    };
    return { api, client, clock, describeOne, end };
  }
  let seed = 5_000;

  it('of a key that works (401) says when it is tried again, and the calls that wait try it', async () => {
    const { client, clock, describeOne, end } = await clientOf((posts) =>
      posts === 2 ? { status: 401, body: { error: REFUSED } } : { body: completion('fine') },
    );
    await describeOne();
    await expect(describeOne()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    const health = await client.health();
    expect(health.status).toBe('unhealthy');
    expect(health.parts['pool:default']?.reason).toBe('the API refused the key; it is tried again in 5 s');
    const waiting = [describeOne(), describeOne()];
    await expect.poll(() => client.stats().routing.queued).toBe(2);
    await clock.advance(5_000);
    expect((await Promise.all(waiting)).map(({ description }) => description)).toEqual(['fine', 'fine']);
    expect((await client.health()).status).toBe('healthy');
    await end();
  });

  it.each(['86400', 'Fri, 31 Dec 2099 23:59:59 GMT', '99999999999'])(
    'with Retry-After: %s says how long, and tries again within minutes',
    async (retryAfter) => {
      const { api, client, clock, describeOne, end } = await clientOf((posts) =>
        posts === 2
          ? {
              status: 429,
              headers: { 'retry-after': retryAfter },
              body: { error: { code: 'rate_limit_exceeded' } },
            }
          : { body: completion('fine') },
      );
      await describeOne();
      const failure = await describeOne().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'DESCRIBE_RATE_LIMITED' });
      expect((failure as UpstreamError).retryAfterMs).toBeLessThanOrEqual(2 ** 31 - 1);
      const late = await describeOne().catch((error: unknown) => error);
      expect(late).toMatchObject({ code: 'DESCRIBE_RATE_LIMITED' });
      expect((late as UpstreamError).retryAfterMs).toBeLessThanOrEqual(300_000);
      const health = await client.health();
      expect(health.status).toBe('unhealthy');
      expect(health.parts['routing']?.reason).toBe(
        'default:gpt-4.1-mini paused, for the API asked to wait 86401 s, tried again in 300 s',
      );
      await clock.advance(300_000);
      expect((await client.health()).status).toBe('degraded');
      expect((await describeOne()).description).toBe('fine');
      expect((await client.health()).status).toBe('healthy');
      expect(api.bodies()).toHaveLength(3);
      await end();
    },
  );
});

it('a burst at an idle API is held at limits.initialConcurrency, by default at what the pool has', async () => {
  for (const [limits, expected] of [
    [{}, 40],
    [{ initialConcurrency: 12 }, 12],
  ] as const) {
    const held: (() => void)[] = [];
    let holds = false;
    const api = await startRawApi(async () => {
      if (holds) await new Promise<void>((resolve) => held.push(resolve));
      return { body: completion('fine') };
    });
    const client = createDescribeClient({
      apiKey: 'k',
      baseURL: api.baseURL,
      cache: false,
      monitor: false,
      pool: { max: 40 },
      limits,
    });
    await client.describe(createTestImage({ seed: 6_000 }));
    holds = true;
    const burst = Array.from({ length: 60 }, (_, index) => client.describe(createTestImage({ seed: 6_001 + index })));
    await expect.poll(() => held.length).toBe(expected);
    holds = false;
    for (const release of held) release();
    await Promise.all(burst);
    await client.close();
    await api[Symbol.asyncDispose]();
  }
});

import { describe, expect, it } from 'vitest';
import type { DescribeError } from '../errors/describe-error.ts';
import { createTestImage, type FakeOpenAIOptions, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

const disposables = useDisposables();

const KEYS = ['sk-a', 'sk-b'];

const start = async (server: FakeOpenAIOptions, options: DescribeClientOptions, keys = KEYS) => {
  const fake = await startFakeOpenAI({ apiKeys: KEYS, ...server });
  const client = createDescribeClient({
    endpoints: keys.map((apiKey) => ({ name: apiKey.slice(3), apiKey, baseURL: fake.baseURL })),
    cache: false,
    monitor: false,
    ...options,
  });
  disposables.push(fake, client);
  return { fake, client };
};

/** Codes of the calls that failed. */
const codesOf = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
  outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as DescribeError).code] : []));

const describeAll = async (call: (image: Uint8Array, index: number) => Promise<unknown>, count: number) =>
  codesOf(
    await Promise.allSettled(
      Array.from({ length: count }, (_, seed) => call(createTestImage({ seed, width: 8, height: 8 }), seed)),
    ),
  );

describe('calls for several models of one endpoint', () => {
  const models = ['gpt-4.1-mini', 'gpt-4.1', 'gpt-4o'];
  const latency = { distribution: 'fixed', ms: 150 } as const;

  it('wait where they can still go elsewhere, not for a connection', async () => {
    const { client } = await start({ latency }, { pool: { min: 0, max: 4, acquireTimeoutMs: 250 } }, ['sk-a']);
    expect(await describeAll((image, index) => client.describe(image, { model: models[index % 3] }), 45)).toEqual([]);
  });

  it('are together within its maxConcurrency', async () => {
    const { client, fake } = await start({ latency }, { limits: { maxConcurrency: 2 } }, ['sk-a']);
    await describeAll((image, index) => client.describe(image, { model: models[index % 3] }), 12);
    expect(fake.getStats().mostInFlight).toBe(2);
  });
});

describe('calls that wait for two endpoints whose breakers are open', () => {
  it('wait on while the first one that returns is tried', async () => {
    const { client, fake } = await start(
      { latency: { distribution: 'fixed', ms: 20 } },
      {
        circuitBreaker: { failureThreshold: 3, resetTimeoutMs: 500 },
        retry: { initialDelayMs: 5, maxDelayMs: 20 },
      },
    );
    fake.setFaults([{ when: { endpoint: 'chat' }, fault: { kind: 'error', status: 500 } }]);
    await describeAll((image) => client.describe(image, { timeoutMs: 300 }), 10);
    expect(Object.values(client.breakers).map(({ state }) => state)).toEqual(['OPEN', 'OPEN']);
    fake.setFaults([]);
    expect(await describeAll((image) => client.describe(image), 40)).toEqual([]);
  });
});

describe('a retry', () => {
  const overloaded = {
    kind: 'error',
    status: 503,
    retryAfter: { form: 'milliseconds', ms: 400 },
  } as const;

  it('is not made before its time at the endpoint that failed, where the other is out', async () => {
    const { client, fake } = await start({}, { retry: { initialDelayMs: 1, maxDelayMs: 2 } });
    fake.setFaults([{ when: { apiKey: 'sk-a' }, fault: { kind: 'error', status: 401, code: 'invalid_api_key' } }]);
    await describeAll((image) => client.describe(image), 10);
    fake.setFaults([{ when: { endpoint: 'chat' }, fault: overloaded, times: 1 }]);
    const { explain } = await client.describe(createTestImage({ seed: 99 }));
    expect(explain.attempts.map(({ endpoint, outcome }) => [endpoint, outcome])).toEqual([
      ['b', 'failure'],
      ['b', 'success'],
    ]);
    expect(explain.retryMs).toBeGreaterThanOrEqual(399);
  });

  it('is made at once at an endpoint that has not failed the call', async () => {
    const { client, fake } = await start({}, {});
    await describeAll((image) => client.describe(image), 10);
    const forLong = { ...overloaded, retryAfter: { form: 'milliseconds', ms: 30_000 } } as const;
    fake.setFaults([{ when: { endpoint: 'chat' }, fault: forLong, times: 1 }]);
    const { explain } = await client.describe(createTestImage({ seed: 99 }));
    expect(new Set(explain.attempts.map(({ endpoint }) => endpoint)).size).toBe(2);
    expect(explain.retryMs).toBeLessThan(30_000);
  });
});

describe('a refusal whose time is past the deadline', () => {
  it('ends the call at once, as what the API said, and costs no retry', async () => {
    const { client, fake } = await start({}, { timeoutMs: 5_000 }, ['sk-a']);
    const retryAfter = { form: 'milliseconds', ms: 3_600_000 } as const;
    fake.setFaults([{ when: { endpoint: 'chat' }, fault: { kind: 'error', code: 'rate_limit_exceeded', retryAfter } }]);
    await expect(client.describe(createTestImage({ seed: 1 }))).rejects.toMatchObject({
      code: 'DESCRIBE_RATE_LIMITED',
      status: 429,
      upstreamCode: 'rate_limit_exceeded',
      retryAfterMs: 3_600_000,
      explain: { gaveUp: 'deadline', attempts: [{ status: 429 }] },
    });
    expect(client.stats().retry).toMatchObject({ retries: 0, budget: { retries: 0 } });
    // The next call does not even begin.
    await expect(client.describe(createTestImage({ seed: 2 }))).rejects.toMatchObject({
      code: 'DESCRIBE_RATE_LIMITED',
      explain: { attempts: [] },
    });
    expect(fake.getStats().requestsByEndpoint.chat).toBe(1);
  });

  it("ends an image of the client's own processor too", async () => {
    const { client, fake } = await start({}, { timeoutMs: 5_000, batch: { maxBatchWaitMs: 1 } }, ['sk-a']);
    const retryAfter = { form: 'milliseconds', ms: 3_600_000 } as const;
    fake.setFaults([{ when: { endpoint: 'chat' }, fault: { kind: 'error', code: 'rate_limit_exceeded', retryAfter } }]);
    for (const seed of [1, 2]) {
      const described = client.batch?.process({ image: createTestImage({ seed }) });
      await expect(described).rejects.toMatchObject({ code: 'DESCRIBE_RATE_LIMITED' });
    }
    expect(fake.getStats().requestsByEndpoint.chat).toBe(1);
  });
});

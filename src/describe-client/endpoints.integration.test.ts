import { describe, expect, it } from 'vitest';
import type { DescribeError } from '../errors/describe-error.ts';
import {
  createTestImage,
  type FakeOpenAI,
  type FakeOpenAIOptions,
  type Fault,
  startFakeOpenAI,
} from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

const disposables = useDisposables();

const KEYS = ['sk-a', 'sk-b'] as const;

const startServer = async (options: FakeOpenAIOptions = {}): Promise<FakeOpenAI> => {
  const server = await startFakeOpenAI({
    apiKeys: KEYS,
    quotaGroups: KEYS.map((key) => ({
      name: key,
      organization: `org-${key}`,
      apiKeys: [key],
      limits: { requestsPerMinute: 100_000 },
    })),
    ...options,
  });
  disposables.push(server);
  return server;
};

const clientOf = (
  { baseURL }: FakeOpenAI,
  { keys = KEYS, ...options }: DescribeClientOptions & { readonly keys?: readonly string[] } = {},
): DescribeClient => {
  const client = createDescribeClient({
    endpoints: keys.map((apiKey) => ({ name: apiKey.slice(3), apiKey, baseURL })),
    cache: false,
    monitor: false,
    ...options,
  });
  disposables.push(client);
  return client;
};

const always = (fault: Fault, apiKey: string) => [{ when: { apiKey }, fault }];

const chatsOf = (server: FakeOpenAI, apiKey?: string) =>
  server.seen().filter((seen) => seen.endpoint === 'chat' && (apiKey === undefined || seen.apiKey === apiKey));

let seed = 0;
const image = () => {
  seed += 1;
  return createTestImage({ seed });
};

const failureOf = (call: Promise<unknown>): Promise<DescribeError> =>
  call.then(
    () => expect.unreachable('the call succeeded'),
    (error: DescribeError) => error,
  );

const describeAll = async (client: DescribeClient, count: number, concurrency = 8) => {
  const codes: (string | undefined)[] = [];
  const images = Array.from({ length: count }, image);
  for await (const item of client.describeMany(images, { concurrency }))
    codes.push(item.status === 'rejected' ? (item.reason as DescribeError).code : undefined);
  return codes.filter((code) => code !== undefined);
};

describe('a client of two endpoints', () => {
  it('uses both, and says which one answered', async () => {
    const server = await startServer({ latency: { distribution: 'fixed', ms: 5 } });
    const client = clientOf(server);
    expect(await describeAll(client, 60)).toEqual([]);
    for (const key of KEYS) expect(chatsOf(server, key).length).toBeGreaterThan(10);
    const { explain } = await client.describe(image());
    const [attempt] = explain.attempts;
    expect(attempt).toMatchObject({ endpoint: expect.stringMatching(/^[ab]$/), model: 'gpt-4.1-mini' });
    expect(chatsOf(server).at(-1)?.headers['x-client-request-id']).toBe(attempt?.clientRequestId);
  });

  it('sends one request more to an account that is used up, and goes on with the other', async () => {
    const server = await startServer({
      faults: always({ kind: 'error', code: 'insufficient_quota', status: 429 }, 'sk-a'),
    });
    const client = clientOf(server, { retry: false });
    expect(await describeAll(client, 20, 1)).toEqual([]);
    expect(chatsOf(server, 'sk-a')).toHaveLength(1);
    const { routing } = client.stats();
    expect(routing.endpoints['a']?.models).toMatchObject([{ condition: 'stopped' }]);
    const { status, parts } = await client.health();
    expect([status, parts['routing']?.status]).toEqual(['degraded', 'degraded']);
  });

  it('drops a key that is refused, and goes on with the other', async () => {
    const server = await startServer({
      faults: always({ kind: 'error', code: 'invalid_api_key', status: 401 }, 'sk-a'),
    });
    const client = clientOf(server, { retry: false });
    expect(await describeAll(client, 20, 1)).toEqual([]);
    expect(chatsOf(server, 'sk-a')).toHaveLength(1);
    const { status, parts } = await client.health();
    expect([status, parts['pool:a']?.reason, parts['pool:b']?.status]).toEqual([
      'degraded',
      expect.stringMatching(/^the API refused the key; it is tried again in \d s$/),
      'healthy',
    ]);
  });

  it('fails over from an endpoint that nothing listens at, without a retry', async () => {
    const server = await startServer();
    const gone = await startServer();
    await gone.close();
    const client = createDescribeClient({
      endpoints: [
        { name: 'gone', apiKey: 'sk-a', baseURL: gone.baseURL },
        { name: 'here', apiKey: 'sk-b', baseURL: server.baseURL },
      ],
      cache: false,
      monitor: false,
      retry: { maxAttempts: 2 },
    });
    disposables.push(client);
    expect(await describeAll(client, 20)).toEqual([]);
  });

  it("asks each endpoint for its own model, with its own headers and organisation's name", async () => {
    const server = await startServer();
    const client = createDescribeClient({
      endpoints: [
        {
          apiKey: 'sk-a',
          baseURL: server.baseURL,
          model: 'gpt-4o-mini',
          headers: { 'x-team': 'blue' },
          organization: 'org-1',
          project: 'proj-1',
        },
      ],
      model: 'gpt-4.1',
      cache: false,
      monitor: false,
    });
    disposables.push(client);
    await client.describe(image());
    expect(chatsOf(server)).toMatchObject([
      {
        model: 'gpt-4o-mini',
        headers: { 'x-team': 'blue', 'openai-organization': 'org-1', 'openai-project': 'proj-1' },
      },
    ]);
  });
});

describe('a client of one endpoint', () => {
  it('sends nothing more for an account that is used up, and says so', async () => {
    const server = await startServer({
      faults: always({ kind: 'error', code: 'insufficient_quota', status: 429 }, 'sk-a'),
    });
    const client = clientOf(server, { keys: ['sk-a'] });
    const failures = [await failureOf(client.describe(image())), await failureOf(client.describe(image()))];
    expect(failures).toMatchObject([
      { code: 'DESCRIBE_QUOTA_EXHAUSTED', upstreamCode: 'insufficient_quota' },
      { code: 'DESCRIBE_QUOTA_EXHAUSTED', upstreamCode: 'insufficient_quota' },
    ]);
    expect(chatsOf(server)).toHaveLength(1);
    expect(failures.map(({ explain }) => explain?.attempts.length)).toEqual([1, 0]);
    expect((await client.health()).status).toBe('unhealthy');
  });

  it('sends nothing more with a key that was refused', async () => {
    const server = await startServer({
      faults: always({ kind: 'error', code: 'invalid_api_key', status: 401 }, 'sk-a'),
    });
    const client = clientOf(server, { keys: ['sk-a'] });
    for (const call of [1, 2]) {
      expect(await failureOf(client.describe(image())), `call ${call}`).toMatchObject({
        code: 'DESCRIBE_AUTH',
      });
    }
    expect(chatsOf(server)).toHaveLength(1);
    expect((await client.health()).status).toBe('unhealthy');
  });

  it('sends the waiting call of the highest priority first', async () => {
    const slow: Fault = { kind: 'latency', latency: { distribution: 'fixed', ms: 1_000 } };
    const server = await startServer({ faults: [{ when: { requests: 1 }, fault: slow }] });
    const client = clientOf(server, { keys: ['sk-a'], pool: { min: 0, max: 1 } });
    const ended: number[] = [];
    const call = async (priority: number) => {
      await client.describe({ image: image() }, { priority });
      ended.push(priority);
    };
    const first = call(9);
    await expect.poll(() => server.getStats().inFlight).toBe(1);
    const waiting = [0, 1, 5, -1].map(call);
    await expect.poll(() => client.stats().routing.queued).toBe(4);
    await Promise.all([first, ...waiting]);
    expect(ended).toEqual([9, 5, 1, 0, -1]);
  });

  it('takes its share of its limits, and ramps up from the tokens that it is given', async () => {
    const server = await startServer();
    const limits = { requestsPerMinute: 6_000, tokensPerMinute: 4_000_000, rampFromTokensPerMinute: 400_000 };
    const quotaOf = async (processes: number | undefined) => {
      const client = clientOf(server, { keys: ['sk-a'], limits: { ...limits, processes } });
      await client.describe(image());
      return client.stats().quotas[0];
    };
    const allowed = (count: number) => expect.closeTo(count, 3) as number;
    expect(await quotaOf(undefined)).toMatchObject({
      requests: { allowed: allowed(6_000) },
      tokens: { allowed: allowed(4_000_000) },
      rampTokensPerMinute: allowed(400_000),
    });
    expect(await quotaOf(4)).toMatchObject({
      requests: { allowed: allowed(1_500) },
      tokens: { allowed: allowed(1_000_000) },
      rampTokensPerMinute: allowed(100_000),
    });
  });

  it('keeps to the limits that it is given, and to those that the headers tell', async () => {
    const limits = { requestsPerMinute: 1200 };
    const server = await startServer({ quotaGroups: [{ name: 'a', limits }] });
    const given = clientOf(server, { keys: ['sk-a'], limits });
    expect(await describeAll(given, 60, 32)).toEqual([]);
    server.setLimits(limits);
    const learning = clientOf(server, { keys: ['sk-b'] });
    expect(await describeAll(learning, 60, 32)).toEqual([]);
    expect(server.getStats().rateLimited).toBe(0);
  });

  it('refuses a call that can not make its deadline at once', async () => {
    const limits = { requestsPerMinute: 60 };
    const server = await startServer({ quotaGroups: [{ name: 'a', limits }] });
    const client = clientOf(server, { keys: ['sk-a'], limits, timeoutMs: 3000 });
    const order: string[] = [];
    const calls = Array.from({ length: 8 }, () => client.describe(image()));
    for (const call of calls)
      call.then(
        () => order.push('answered'),
        () => order.push('refused'),
      );
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused.length).toBeGreaterThanOrEqual(4);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'DESCRIBE_RATE_LIMITED', explain: { attempts: [] } });
      expect(reason.retryAfterMs).toBeGreaterThan(2000);
    }
    // The last answered call has waited in the queue; the refused ones have not.
    expect(order.at(-1)).toBe('answered');
  });
});

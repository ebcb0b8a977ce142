import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type { DescribeRequest } from './options/describe-request.ts';
import { type Arrived, type Body, completion, startRawApi } from './raw-api.fixture.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An API that answers every request, as either form of it. */
async function startApi(reply?: Parameters<typeof startRawApi>[0]) {
  const output = [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a cat' }] }];
  const answer = ({ url }: Arrived): { readonly body: Body } =>
    url.includes('/responses')
      ? { body: { id: 'r', object: 'response', status: 'completed', output, usage: {} } }
      : { body: completion('a cat') };
  const api = await startRawApi(reply ?? answer);
  closing.push(() => api[Symbol.asyncDispose]());
  return api;
}

function clientOf(options: DescribeClientOptions) {
  const client = createDescribeClient(options);
  closing.push(() => client.destroy());
  return client;
}

/** What the API sees of one description, made with these options and this request. */
async function arrivedFor(
  optionsAt: (baseURL: string) => DescribeClientOptions,
  request: Partial<DescribeRequest> = {},
): Promise<Arrived> {
  const { baseURL, seen } = await startApi();
  await clientOf(optionsAt(baseURL)).describe({ image, ...request });
  const [arrived] = seen;
  if (arrived === undefined) throw new Error('nothing was sent');
  return arrived;
}

/** The text of the messages, with the image's detail. */
const contentOf = ({ body }: Arrived) => JSON.stringify(body?.['messages']);

const account = { apiKey: 'sk-own', organization: 'org-own', project: 'proj-own', headers: { 'x-own': 'mine' } };
const headers = {
  authorization: 'Bearer sk-own',
  'openai-organization': 'org-own',
  'openai-project': 'proj-own',
  'x-own': 'mine',
};

describe('what the API sees', () => {
  it('is the apiKey, organization, project and headers of the client', async () => {
    const arrived = await arrivedFor((baseURL) => ({ baseURL, ...account }));
    expect(arrived.headers).toMatchObject(headers);
  });

  it('is the apiKey, organization, project and headers of each of the endpoints', async () => {
    const arrived = await arrivedFor((baseURL) => ({ endpoints: [{ baseURL, ...account }] }));
    expect(arrived.headers).toMatchObject(headers);
  });

  it('is the api of the client, or of its endpoint', async () => {
    const ofClient = await arrivedFor((baseURL) => ({ baseURL, apiKey: 'k', api: 'responses' }));
    const ofEndpoint = await arrivedFor((baseURL) => ({ endpoints: [{ baseURL, apiKey: 'k', api: 'responses' }] }));
    expect([ofClient.url, ofEndpoint.url]).toEqual(['/v1/responses', '/v1/responses']);
  });

  it('is the apiVersion of the client', async () => {
    const { origin, seen } = await startApi();
    await clientOf({ baseURL: `${origin}/openai`, apiKey: 'k', apiVersion: '2024-10-21' }).describe(image);
    expect(seen[0]?.url).toContain('api-version=2024-10-21');
  });

  const asked = { model: 'gpt-4.1', prompt: 'Name it.', detail: 'high', maxOutputTokens: 77 } as const;

  it('is the model, prompt, detail and maxOutputTokens of the client', async () => {
    const arrived = await arrivedFor((baseURL) => ({ baseURL, apiKey: 'k', ...asked }));
    expect(arrived.body).toMatchObject({ model: 'gpt-4.1', max_completion_tokens: 77 });
    expect(contentOf(arrived)).toContain('Name it.');
    expect(contentOf(arrived)).toContain('"detail":"high"');
  });

  it('is the model, prompt, detail and maxOutputTokens of the request', async () => {
    const arrived = await arrivedFor((baseURL) => ({ baseURL, apiKey: 'k' }), asked);
    expect(arrived.body).toMatchObject({ model: 'gpt-4.1', max_completion_tokens: 77 });
    expect(contentOf(arrived)).toContain('Name it.');
    expect(contentOf(arrived)).toContain('"detail":"high"');
  });
});

describe('limits', () => {
  const limits = {
    requestsPerMinute: 6_000,
    tokensPerMinute: 4_000_000,
    rampFromTokensPerMinute: 400_000,
    initialConcurrency: 2,
  };
  const allowed = (count: number) => expect.closeTo(count, 3) as number;
  const statsAfter = async (options: DescribeClientOptions) => {
    const client = clientOf(options);
    await client.describe(image);
    return client.stats();
  };

  it.each(['the client', 'one of the endpoints'])('of %s hold for its quota and its concurrency', async (owner) => {
    const { baseURL } = await startApi();
    const { quotas, routing } = await statsAfter(
      owner === 'the client'
        ? { baseURL, apiKey: 'k', limits }
        : { endpoints: [{ baseURL, apiKey: 'k', limits, name: 'default' }] },
    );
    expect(quotas[0]).toMatchObject({
      requests: { allowed: allowed(6_000) },
      tokens: { allowed: allowed(4_000_000) },
      rampTokensPerMinute: allowed(400_000),
    });
    expect(routing.endpoints['default']?.models[0]).toMatchObject({ concurrency: 2 });
  });

  it('let an endpoint take its weight of the calls', async () => {
    const { baseURL } = await startApi();
    const { routing } = await statsAfter({ endpoints: [{ name: 'heavy', baseURL, apiKey: 'k', weight: 3 }] });
    expect(routing.endpoints['heavy']?.weight).toBe(3);
  });

  it('are shared by as many processes as there are', async () => {
    const { baseURL } = await startApi();
    const { quotas } = await statsAfter({ baseURL, apiKey: 'k', limits: { ...limits, processes: 4 } });
    expect(quotas[0]).toMatchObject({ requests: { allowed: allowed(1_500) } });
  });
});

describe('the tenants of a client', () => {
  it('open no more connections than tenants.maxConnections', async () => {
    const held: (() => void)[] = [];
    const { baseURL, seen } = await startApi(
      () => new Promise((resolve) => held.push(() => resolve({ body: completion('a cat') }))),
    );
    const client = clientOf({ baseURL, apiKey: 'k', tenants: { maxConnections: 1 } });
    const [one, two] = [client.withKey('sk-one'), client.withKey('sk-two')];
    const first = one.describe(image).catch((error: unknown) => error);
    await expect.poll(() => seen.length).toBe(1);
    const second = two.describe(image).catch((error: unknown) => error);
    // It waits for a connection, or has arrived.
    await expect.poll(() => seen.length + (two.stats().pools['default']?.waiting ?? 0)).toBe(2);
    expect(two.stats().pools['default']?.size).toBe(0);
    held[0]?.();
    expect(await first).toMatchObject({ description: 'a cat' });
    await expect.poll(() => held.length).toBe(2);
    held[1]?.();
    expect(await second).toMatchObject({ description: 'a cat' });
  });
});

describe('the life of a description', () => {
  it('is the ttlSeconds of its request', async () => {
    const clock = new ManualClock();
    const { baseURL, seen } = await startApi();
    const client = clientOf({ baseURL, apiKey: 'k', clock });
    const sourceOf = async () => (await client.describe({ image, ttlSeconds: 10 })).source;
    await sourceOf();
    await clock.advance(8_000);
    expect(await sourceOf()).toBe('memory');
    await clock.advance(4_000);
    expect(await sourceOf()).toBe('upstream');
    expect(seen).toHaveLength(2);
  });
});

describe('the time of a call', () => {
  it('is that of the clock', async () => {
    const clock = new ManualClock();
    const client = clientOf({ apiKey: 'k', clock });
    await clock.advance(5_000);
    expect(client.report()).toMatchObject({ uptimeMs: 5_000 });
  });

  it('is at most attemptTimeoutMs for one attempt', async () => {
    let arrivals = 0;
    const { baseURL } = await startApi(() => {
      arrivals += 1;
      return arrivals === 1 ? new Promise<never>(() => {}) : { body: completion('a cat') };
    });
    const retry = { initialDelayMs: 1, maxDelayMs: 1 };
    const client = clientOf({ baseURL, apiKey: 'k', attemptTimeoutMs: 100, timeoutMs: 4_000, retry });
    expect(await client.describe(image)).toMatchObject({ description: 'a cat' });
    expect(arrivals).toBe(2);
  });
});

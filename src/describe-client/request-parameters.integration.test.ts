import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from '../http/certificate.fixture.ts';
import { createTestImage } from '../testing/index.ts';
import { composeParts } from './compose-parts.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type { DescribeOptions } from './options/describe-request.ts';
import { type Arrived, completion, type RawReply, startRawApi } from './raw-api.fixture.ts';

const disposables = useDisposables();

const answers = (): RawReply => ({ body: completion('fine') });

async function startApi(reply: (arrived: Arrived) => RawReply | Promise<RawReply> = answers) {
  const api = await startRawApi(reply);
  disposables.push(api);
  return api;
}

function clientOf(options: DescribeClientOptions) {
  const client = createDescribeClient({ monitor: false, ...options });
  disposables.push(client);
  return client;
}

let seed = 0;
const image = () => {
  seed += 1;
  return createTestImage({ seed });
};

const one = (options: DescribeClientOptions, baseURL: string): DescribeClientOptions =>
  options.endpoints === undefined
    ? { apiKey: 'k', baseURL, ...options }
    : { ...options, endpoints: options.endpoints.map((endpoint) => ({ ...endpoint, baseURL })) };

describe('the parameters of a request', () => {
  it.each<[string, Omit<DescribeOptions, 'cache'>, Readonly<Record<string, unknown>>]>([
    ['temperature', { temperature: 0 }, { temperature: 0 }],
    ['reasoningEffort', { reasoningEffort: 'low' }, { reasoning_effort: 'low' }],
    ['extraBody', { extraBody: { seed: 7, provider: { order: ['a'] } } }, { seed: 7, provider: { order: ['a'] } }],
    ['maxOutputTokens', { maxOutputTokens: 77 }, { max_completion_tokens: 77 }],
    ['model', { model: 'other' }, { model: 'other' }],
  ])('send %s of client and call', async (_name, given, expected) => {
    const api = await startApi();
    await clientOf(one(given, api.baseURL)).describe({ image: image() });
    await clientOf(one({}, api.baseURL)).describe({ image: image() }, given);
    await clientOf(one({ batch: { batchSize: 1 } }, api.baseURL)).describe({ image: image(), ...given });
    expect(api.bodies()).toHaveLength(3);
    for (const body of api.bodies()) expect(body).toMatchObject(expected);
  });

  it('send system as the message before the prompt', async () => {
    const api = await startApi();
    await clientOf(one({ system: 'Be brief.' }, api.baseURL)).describe({ image: image() });
    expect(api.bodies()[0]?.['messages']).toMatchObject([{ role: 'system', content: 'Be brief.' }, { role: 'user' }]);
  });

  it('send prompt and detail of client and call in the message', async () => {
    const api = await startApi();
    const given = { prompt: 'Which animal?', detail: 'high' } as const;
    await clientOf(one(given, api.baseURL)).describe({ image: image() });
    await clientOf(one({}, api.baseURL)).describe({ image: image() }, given);
    await clientOf(one({ prompt: 'What?', detail: 'auto' }, api.baseURL)).describe({ image: image(), ...given });
    expect(api.bodies()).toHaveLength(3);
    const content = [
      { type: 'text', text: 'Which animal?' },
      { type: 'image_url', image_url: { detail: 'high' } },
    ];
    for (const body of api.bodies()) expect(body['messages']).toMatchObject([{ role: 'user', content }]);
  });

  it('send nothing that nobody asked for', async () => {
    const api = await startApi();
    await clientOf(one({}, api.baseURL)).describe({ image: image() });
    expect(Object.keys(api.bodies()[0] ?? {}).sort()).toEqual(['max_completion_tokens', 'messages', 'model', 'store']);
  });

  it('let the call win over the endpoint, and the endpoint over the client', async () => {
    const api = await startApi();
    const client = clientOf(
      one({ extraBody: { a: 1, b: 1, c: 1 }, endpoints: [{ apiKey: 'k', extraBody: { b: 2, c: 2 } }] }, api.baseURL),
    );
    await client.describe({ image: image() }, { extraBody: { c: 3 } });
    expect(api.bodies()[0]).toMatchObject({ a: 1, b: 2, c: 3 });
  });

  it('ask a reasoning model of the catalog for its least effort', async () => {
    const api = await startApi();
    await clientOf(one({ model: 'gpt-5-mini' }, api.baseURL)).describe({ image: image() });
    expect(api.bodies()[0]).toHaveProperty('reasoning_effort', 'minimal');
  });

  it('are a part of what is cached, but for the fields that say who asks', async () => {
    const api = await startApi();
    const client = clientOf(one({}, api.baseURL));
    const same = image();
    const ask = (options: DescribeOptions) => client.describe({ image: same }, options);
    for (const options of [{}, { system: 'A' }, { system: 'B' }, { temperature: 0 }, { temperature: 1 }]) {
      expect((await ask(options)).source).toBe('upstream');
    }
    expect((await ask({ reasoningEffort: 'low' })).source).toBe('upstream');
    expect((await ask({ extraBody: { seed: 1, top_p: 1 } })).source).toBe('upstream');
    expect((await ask({ extraBody: { top_p: 1, seed: 1 } })).source).toBe('memory');
    expect((await ask({ extraBody: { top_p: 1, seed: 1, user: 'u' } })).source).toBe('memory');
    const whoAsks = { user: 'u', safety_identifier: 's', metadata: { a: 'b' }, prompt_cache_key: 'p' };
    expect((await ask({ extraBody: whoAsks })).source).toBe('memory');
    expect((await ask({ extraBody: { nested: { user: 'u' } } })).source).toBe('upstream');
  });

  it('never share a pack where they differ, and arrive in one where they are equal', async () => {
    const api = await startApi(({ body }) => {
      const text = JSON.stringify(body);
      const ids = [...text.matchAll(/"id ([\da-z]+)"/g)].map(([, id]) => id);
      const items = ids.map((id) => ({ id, text: 'fine' }));
      return { body: completion(ids.length === 0 ? 'fine' : JSON.stringify({ images: items, items })) };
    });
    const client = clientOf(
      one({ batch: { batchSize: 4, maxBatchWaitMs: 5 }, cache: false, retry: false }, api.baseURL),
    );
    const options: DescribeOptions[] = [
      { system: 'A', temperature: 0, extraBody: { seed: 1 } },
      { system: 'A', temperature: 0, extraBody: { seed: 1 } },
      { system: 'B', temperature: 0, extraBody: { seed: 1 } },
      { system: 'A', temperature: 1, extraBody: { seed: 1 } },
      { system: 'A', temperature: 0, extraBody: { seed: 2 } },
    ];
    await Promise.allSettled(options.map((given) => client.describe({ image: image() }, given)));
    const seen = api.bodies().map(({ messages, temperature, seed: own }) => {
      const [{ content: system }] = messages as [{ content: unknown }];
      const images = JSON.stringify(messages).split('"image_url":').length - 1;
      return `${system} ${temperature} ${own}: ${images}`;
    });
    expect(seen).toContain('A 0 1: 2');
    expect(new Set(seen)).toEqual(new Set(['A 0 1: 2', 'B 0 1: 1', 'A 1 1: 1', 'A 0 2: 1']));
  });

  it.each([
    [{ extraBody: { model: 'x' } }, 'extraBody.model: expected nothing: use the option `model`'],
    [{ extraBody: { stream: true } }, 'extraBody.stream'],
    [{ extraBody: { store: true } }, 'extraBody.store'],
    [{ extraBody: { max_tokens: 5 } }, 'use the option `maxOutputTokens`'],
    [{ extraBody: [] }, 'extraBody: expected an object of fields'],
    [{ extraBody: { at: 1n } }, 'extraBody: expected fields that JSON can hold'],
    [{ temperature: 3 }, 'temperature: expected a number from 0 to 2'],
    [{ reasoningEffort: 'much' }, 'reasoningEffort: expected one of'],
    [{ system: ' ' }, 'system: expected a non-empty string'],
  ])('are refused when they are wrong: %#', async (given, message) => {
    const client = clientOf(one({}, 'http://127.0.0.1:9/v1'));
    await expect(client.describe({ image: image() }, given as DescribeOptions)).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      message: expect.stringContaining(message),
    });
    expect(() => createDescribeClient({ apiKey: 'k', ...(given as DescribeClientOptions) })).toThrowError(
      expect.objectContaining({ code: 'DESCRIBE_CONFIG_INVALID' }),
    );
  });

  it('are those of the moment of the call', async () => {
    const api = await startApi();
    const extraBody: Record<string, unknown> = { seed: 1 };
    const client = clientOf(one({ extraBody }, api.baseURL));
    extraBody['seed'] = 2;
    const own: Record<string, unknown> = { top_k: 1 };
    const described = client.describe({ image: image() }, { extraBody: own });
    own['model'] = 'sneaked in';
    await described;
    expect(api.bodies()[0]).toMatchObject({ seed: 1, top_k: 1, model: 'gpt-4.1-mini' });
  });
});

/** Mistral's answer to fields that it does not know. */
const strict =
  (known: readonly string[]) =>
  ({ body = {} }: Arrived): RawReply => {
    const extra = Object.keys(body).filter((name) => !known.includes(name));
    if (extra.length === 0) return answers();
    const detail = extra.map((name) => ({
      type: 'extra_forbidden',
      loc: ['body', name],
      msg: 'Extra inputs are not permitted',
    }));
    return { status: 422, body: { object: 'error', message: { detail }, type: 'invalid_request_error' } };
  };
const MISTRAL = ['model', 'messages', 'max_tokens', 'response_format'];

describe('a server that refuses parameters by name', () => {
  it('is asked again without them in the same attempt, once for each, and knows no more of it', async () => {
    const api = await startApi(strict(MISTRAL));
    const client = clientOf(one({ retry: false, model: 'pixtral-12b' }, api.baseURL));
    const first = await client.describe({ image: image() });
    expect(first.explain.attempts).toHaveLength(1);
    expect(api.bodies()).toHaveLength(3);
    await client.describe({ image: image() });
    expect(api.bodies()).toHaveLength(4);
    expect(api.bodies()[3]).toMatchObject({ max_tokens: 300 });
    expect(client.stats().retry).toMatchObject({ retries: 0 });
  });

  it('is asked by ten first calls at once, each with its own repeats', async () => {
    const api = await startApi(strict(MISTRAL));
    const client = clientOf(one({ retry: false, cache: false, monitor: false }, api.baseURL));
    const described = await Promise.all(Array.from({ length: 10 }, () => client.describe({ image: image() })));
    expect(described.every(({ description }) => description === 'fine')).toBe(true);
    expect(api.bodies().length).toBeLessThanOrEqual(30);
    expect(Object.values(client.breakers).every(({ state }) => state === 'CLOSED')).toBe(true);
  });

  it('gets the same of a pack', async () => {
    const api = await startApi((arrived) => {
      const refusal = strict(MISTRAL)(arrived);
      if (refusal.status !== undefined) return refusal;
      const ids = [...JSON.stringify(arrived.body).matchAll(/"id ([\da-z]+)"/g)].map(([, id]) => id);
      return { body: completion(ids.length === 0 ? 'fine' : 'no pack') };
    });
    const client = clientOf(one({ batch: { batchSize: 2, maxBatchWaitMs: 5 } }, api.baseURL));
    const described = await Promise.all([client.describe({ image: image() }), client.describe({ image: image() })]);
    expect(described.map(({ description }) => description)).toEqual(['fine', 'fine']);
    const refused = api.bodies().filter((body) => 'store' in body || 'max_completion_tokens' in body);
    expect(refused).toHaveLength(2);
  });

  it('is not asked without temperature where the value is out of its bounds', async () => {
    const message = 'temperature must be less than or equal to 1';
    const api = await startApi(() => ({ status: 400, body: { error: { message, param: 'temperature' } } }));
    const client = clientOf(one({ temperature: 2 }, api.baseURL));
    await expect(client.describe({ image: image() })).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect(api.bodies()).toHaveLength(1);
  });

  it.each([{ dialect: 'generic' as const }, { endpoints: [{ apiKey: 'k', dialect: 'generic' as const }] }])(
    'is sent max_tokens and no store from the start by the dialect generic: %#',
    async (options) => {
      const api = await startApi(strict(MISTRAL));
      await clientOf(one(options, api.baseURL)).describe({ image: image() });
      expect(api.bodies()).toHaveLength(1);
    },
  );

  it("fails with the server's word in the dialect openai", async () => {
    const api = await startApi(strict(MISTRAL));
    const client = clientOf(one({ dialect: 'openai' }, api.baseURL));
    await expect(client.describe({ image: image() })).rejects.toMatchObject({ status: 422 });
    expect(api.bodies()).toHaveLength(1);
  });

  it('ends after one repeat for each parameter where the server refuses everything', async () => {
    let asked = 0;
    const api = await startApi(() => {
      asked += 1;
      const names = ['max_completion_tokens', 'max_tokens', 'store', 'detail', 'temperature', 'reasoning_effort'];
      const message = `Unknown parameters: ${names.map((name) => `'${name}'`).join(', ')}`;
      return { status: 400, body: { error: { message } } };
    });
    const client = clientOf(one({ temperature: 1, model: 'gpt-5-mini', retry: false }, api.baseURL));
    await expect(client.describe({ image: image() })).rejects.toMatchObject({ status: 400 });
    expect(asked).toBe(7);
  });
});

describe('the options of the one endpoint at the top', () => {
  const headersOf = async (options: DescribeClientOptions, variables = {}) => {
    const api = await startApi();
    const parts = composeParts(one({ monitor: false, ...options }, api.baseURL), variables);
    disposables.push({ [Symbol.asyncDispose]: () => parts.destroy(undefined) });
    const [endpoint] = parts.endpoints.all;
    await endpoint?.pool?.use((client) => client.models.list());
    return api.seen[0]?.headers ?? {};
  };

  it('send organization, project and headers', async () => {
    expect(await headersOf({ organization: 'org-1', project: 'proj-1', headers: { 'x-own': 'yes' } })).toMatchObject({
      'openai-organization': 'org-1',
      'openai-project': 'proj-1',
      'x-own': 'yes',
    });
  });

  it('trust the authorities of tls', async () => {
    const answer = JSON.stringify(completion('fine'));
    const server = createServer(TEST_CERTIFICATE, (request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(answer));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    };
    disposables.push({ [Symbol.asyncDispose]: close });
    const { port } = server.address() as AddressInfo;
    const options = { apiKey: 'k', baseURL: `https://127.0.0.1:${port}/v1`, retry: false } as const;
    await expect(clientOf(options).describe({ image: image() })).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    const trusting = clientOf({ ...options, tls: { ca: TEST_CERTIFICATE.cert } });
    await expect(trusting.describe({ image: image() })).resolves.toMatchObject({ description: 'fine' });
  });

  it('make the address of Azure with apiVersion', async () => {
    const api = await startApi();
    const azure = { apiVersion: '2024-10-21', model: 'dep' };
    await clientOf({ apiKey: 'k', baseURL: `${api.origin}/openai`, ...azure }).describe({ image: image() });
    expect(api.seen[0]?.url).toBe('/openai/deployments/dep/chat/completions?api-version=2024-10-21');
  });

  it('come from OPENAI_ORG_ID and OPENAI_PROJECT_ID, and win over them', async () => {
    const variables = { OPENAI_ORG_ID: 'org-env', OPENAI_PROJECT_ID: 'proj-env' };
    expect(await headersOf({}, variables)).toMatchObject({
      'openai-organization': 'org-env',
      'openai-project': 'proj-env',
    });
    expect(await headersOf({ organization: 'org-1' }, variables)).toMatchObject({
      'openai-organization': 'org-1',
      'openai-project': 'proj-env',
    });
  });

  it('are not sent to endpoints of their own', async () => {
    const headers = await headersOf({ endpoints: [{ apiKey: 'k' }] }, { OPENAI_ORG_ID: 'org-env' });
    expect(headers).not.toHaveProperty('openai-organization');
  });

  it.each(['apiVersion', 'organization', 'project'])('refuse %s beside endpoints', (option) => {
    const endpoints = [{ apiKey: 'k' }];
    expect(() => createDescribeClient({ endpoints, [option]: 'x' })).toThrow(`${option}: expected nothing beside`);
  });

  it('name a variable that can stand in no header', () => {
    expect(() => composeParts({ apiKey: 'k' }, { OPENAI_ORG_ID: 'a b' })).toThrow('OPENAI_ORG_ID');
  });
});

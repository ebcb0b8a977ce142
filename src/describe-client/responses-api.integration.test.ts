import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import type { OpenAIConnectionPool } from '../openai/index.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import { codeOf } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type { DescribeOptions } from './options/describe-request.ts';
import { closePublicPools, publicPool } from './public-api.fixture.ts';
import { type Arrived, type Body, completion, type RawReply, startRawApi } from './raw-api.fixture.ts';

// Before the disposables, so that it runs after them.
afterEach(closePublicPools);
const disposables = useDisposables();

async function startApi(reply: (arrived: Arrived) => RawReply) {
  const api = await startRawApi((arrived) => (arrived.body === undefined ? { body: { data: [] } } : reply(arrived)));
  disposables.push(api);
  return api;
}

function clientOf(options: DescribeClientOptions) {
  const client = createDescribeClient({
    ...(options.endpoints === undefined ? { apiKey: 'k' } : {}),
    api: 'responses',
    monitor: false,
    retry: { maxAttempts: 2, initialDelayMs: 1, maxDelayMs: 1 },
    ...options,
  });
  disposables.push(client);
  return client;
}

let seed = 500;
const image = () => {
  seed += 1;
  return createTestImage({ seed, width: 32, height: 32 });
};

const message = (...content: object[]) => ({ type: 'message', role: 'assistant', content });
const text = (said: string) => message({ type: 'output_text', text: said, annotations: [] });
const thought = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] };

/** A response, as small as one may be. */
const response = (output: readonly object[], fields: object = {}): Body => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'm',
  output,
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
  ...fields,
});

const EVENT_STREAM = { 'content-type': 'text/event-stream' };
const sse = (...events: readonly object[]): RawReply => ({
  headers: EVENT_STREAM,
  body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
});
const delta = (said: string) => ({
  type: 'response.output_text.delta',
  output_index: 0,
  content_index: 0,
  delta: said,
});
const chunk = (content: string, choice: object = {}) => ({
  model: 'm',
  choices: [{ index: 0, delta: { content }, ...choice }],
});
const incomplete = (reason: string) => ({ status: 'incomplete', incomplete_details: { reason } });

/** Pairs of answers that say the same, and how a call ends on each. */
const PAIRS: Readonly<Record<string, readonly [responses: RawReply, chat: RawReply, end: string]>> = {
  'a text': [{ body: response([text('fine')]) }, { body: completion('fine') }, 'fine'],
  'reasoning, then a text': [
    { body: response([thought, text('fine')]) },
    { body: completion([{ type: 'thinking' }, { type: 'text', text: 'fine' }]) },
    'fine',
  ],
  'a text in two parts': [
    {
      body: response([
        { type: 'new_call' },
        message({ type: 'output_text', text: 'fi' }, { type: 'output_text', text: 'ne' }),
      ]),
    },
    { body: completion(['fi', { text: 'ne' }]) },
    'fine',
  ],
  'a text without its type': [
    { body: JSON.stringify(response([text('fine')])), headers: { 'content-type': 'text/plain' } },
    { body: JSON.stringify(completion('fine')), headers: { 'content-type': 'text/plain' } },
    'fine',
  ],
  'a stream that nobody asked for': [
    sse(delta('fi'), delta('ne'), { type: 'response.completed', response: response([text('fine')]) }),
    sse(chunk('fi'), chunk('ne', { finish_reason: 'stop' })),
    'fine',
  ],
  'reasoning alone': [{ body: response([thought]) }, { body: completion('') }, 'DESCRIBE_REFUSED'],
  'no output': [{ body: response([]) }, { body: completion(null) }, 'DESCRIBE_REFUSED'],
  'a refusal': [
    { body: response([message({ type: 'refusal', refusal: 'No.' })]) },
    { body: completion(null, { message: { role: 'assistant', content: null, refusal: 'No.' } }) },
    'DESCRIBE_REFUSED',
  ],
  'reasoning that used up the limit': [
    { body: response([thought], incomplete('max_output_tokens')) },
    { body: completion('', { finish_reason: 'length' }) },
    'DESCRIBE_OUTPUT_TRUNCATED',
  ],
  'a text that was cut': [
    { body: response([text('fi')], incomplete('max_output_tokens')) },
    { body: completion('fi', { finish_reason: 'length' }) },
    'DESCRIBE_OUTPUT_TRUNCATED',
  ],
  'a filter': [
    { body: response([text('fi')], incomplete('content_filter')) },
    { body: completion('fi', { finish_reason: 'content_filter' }) },
    'DESCRIBE_REFUSED',
  ],
  'a failed response': [
    { body: response([], { status: 'failed', error: { code: 'server_error', message: 'x' }, usage: null }) },
    { body: { error: { code: 'server_error', message: 'x' } } },
    'DESCRIBE_UPSTREAM',
  ],
  'a cancelled response': [
    { body: response([text('fi')], { status: 'cancelled' }) },
    { body: completion('fi', { finish_reason: 'cancelled' }) },
    'DESCRIBE_RESPONSE_INVALID',
  ],
  'an error in the place of the answer': [
    { body: { error: { code: 402, message: 'Insufficient credits' } } },
    { body: { error: { code: 402, message: 'Insufficient credits' } } },
    'DESCRIBE_QUOTA_EXHAUSTED',
  ],
  'a page': [
    { body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } },
    { body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } },
    'DESCRIBE_RESPONSE_INVALID',
  ],
  'JSON of another shape': [{ body: { hello: 'there' } }, { body: { hello: 'there' } }, 'DESCRIBE_RESPONSE_INVALID'],
  'status 429': [
    { status: 429, body: { error: { code: 'rate_limit_exceeded', message: 'slow' } } },
    { status: 429, body: { error: { code: 'rate_limit_exceeded', message: 'slow' } } },
    'DESCRIBE_RATE_LIMITED',
  ],
};

/** A pool of the user's own, whose clients are plain ones. */
const ownPool = (baseURL: string, wrap = (client: OpenAI) => client) =>
  ({
    use: (run: (client: OpenAI) => unknown) => run(wrap(new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0 }))),
    warmUp: async () => {},
    getStats: () => ({ maxSize: 4, size: 0, available: 0, pending: 0 }),
    close: async () => {},
    destroy: async () => {},
  }) as unknown as OpenAIConnectionPool;

describe('a raw server', () => {
  it.each(Object.entries(PAIRS))(
    'has one end by both APIs, whoever sends: %s',
    async (_name, [ofResponses, ofChat, end]) => {
      const api = await startApi(({ url }) => (url.endsWith('/responses') ? ofResponses : ofChat));
      const { baseURL } = api;
      const ends: unknown[] = [];
      for (const form of ['chat', 'responses'] as const) {
        for (const pool of [undefined, () => ownPool(baseURL)]) {
          const client = clientOf({ api: form, baseURL, pool });
          const given = { image: image() };
          const ended = async (described: Promise<{ readonly description: string }>) =>
            described.then(
              ({ description }) => description,
              () => codeOf(described),
            );
          ends.push(await ended(client.describe(given)));
          expect(await codeOf(client.describe(given, { cache: 'only-if-cached' }))).toBe(
            end === 'fine' ? 'fulfilled' : 'DESCRIBE_CACHE_MISS',
          );
          ends.push(await ended(client.stream({ image: image() }).result));
        }
      }
      expect(ends).toEqual(Array(8).fill(end));
    },
  );

  it('is streamed to: deltas, then all that the last event says', async () => {
    const api = await startApi(() =>
      sse(
        { type: 'response.created', response: response([], { status: 'in_progress', usage: null }) },
        { type: 'response.reasoning_text.delta', delta: 'hm' },
        delta('A red '),
        { type: 'response.mcp_call.in_progress' },
        delta('square.'),
        { type: 'response.completed', response: response([thought, text('A red square.')]) },
      ),
    );
    const deltas: string[] = [];
    const stream = clientOf({ baseURL: api.baseURL }).stream({ image: image() });
    for await (const each of stream) deltas.push(each);
    expect(deltas).toEqual(['A red ', 'square.']);
    expect(await stream.result).toMatchObject({ description: 'A red square.', usage: { completionTokens: 5 } });
    expect(api.bodies()[0]).toMatchObject({ stream: true, store: false });
    expect(api.bodies()[0]).not.toHaveProperty('stream_options');
  });

  it('that ends a stream too early, or with an error, is not taken for having answered', async () => {
    let events: readonly object[] = [];
    const api = await startApi(() => sse(...events));
    const client = clientOf({ baseURL: api.baseURL });
    const end = () => codeOf(client.stream({ image: image() }).result);
    events = [delta('A red ')];
    expect(await end()).toBe('DESCRIBE_RESPONSE_INVALID');
    events = [delta('A red '), { type: 'error', code: 'server_is_overloaded', message: 'busy', param: null }];
    expect(await end()).toBe('DESCRIBE_OVERLOADED');
    events = [delta('A red '), { type: 'response.failed', response: response([], { status: 'failed' }) }];
    expect(await end()).toBe('DESCRIBE_UPSTREAM');
  });
});

describe('a request of the Responses API', () => {
  const fine = (): RawReply => ({ body: response([text('fine')]), headers: { 'x-request-id': 'req_1' } });

  it('has nothing that nobody asked for, and says not to store', async () => {
    const api = await startApi(fine);
    const { requestId } = await clientOf({ baseURL: api.baseURL }).describe({ image: image() });
    expect(requestId).toBe('req_1');
    expect(api.seen.find(({ method }) => method === 'POST')).toMatchObject({
      url: '/v1/responses',
      headers: { 'x-client-request-id': expect.any(String), authorization: 'Bearer k' },
    });
    expect(api.bodies()[0]).toEqual({
      model: 'gpt-4.1-mini',
      store: false,
      max_output_tokens: 300,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Describe this image.' },
            { type: 'input_image', image_url: expect.stringMatching(/^data:image\/png;base64,/), detail: 'low' },
          ],
        },
      ],
    });
  });

  it('asks for at least the 16 tokens that the API takes', async () => {
    const api = await startApi(fine);
    await clientOf({ baseURL: api.baseURL, maxOutputTokens: 3 }).describe({ image: image() });
    expect(api.bodies()[0]).toMatchObject({ max_output_tokens: 16 });
  });

  it.each(['input', 'instructions', 'text', 'max_output_tokens', 'background', 'previous_response_id', 'conversation'])(
    'is not set by the field %s of extraBody',
    async (name) => {
      const given: DescribeOptions = { extraBody: { [name]: 'x' } };
      expect(await codeOf(clientOf({}).describe({ image: image() }, given))).toBe('DESCRIBE_INPUT_INVALID');
    },
  );

  it('shares the descriptions of chat: the model and the question are the same', async () => {
    const api = await startApi(({ url }) => (url.endsWith('/responses') ? fine() : { body: completion('fine') }));
    const cache = new RedisCache();
    const same = image();
    const options = { baseURL: api.baseURL, cache };
    expect(await clientOf({ ...options, api: 'chat' }).describe({ image: same })).toMatchObject({ source: 'upstream' });
    expect(await clientOf(options).describe({ image: same })).toMatchObject({ source: 'memory' });
    await cache.close();
  });

  it('packs images', async () => {
    const api = await startApi(({ body }) => {
      const ids = [...JSON.stringify(body).matchAll(/"id ([\da-z]+)"/g)].map(([, id]) => id);
      return { body: response([text(JSON.stringify({ items: ids.map((id) => ({ id, text: 'fine' })) }))]) };
    });
    const client = clientOf({ baseURL: api.baseURL, batch: { batchSize: 3, maxBatchWaitMs: 20 } });
    const described = await Promise.all([1, 2, 3].map(() => client.describe({ image: image() })));
    expect(described.map(({ description, explain }) => [description, explain.batchSize])).toEqual(
      Array(3).fill(['fine', 3]),
    );
    expect(described.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? 0), 0)).toBe(15);
    expect(api.bodies()).toHaveLength(1);
    expect(api.bodies()[0]).toMatchObject({ store: false, text: { format: { type: 'json_schema', strict: true } } });
  });

  it('goes by the API of its endpoint', async () => {
    const api = await startApi(({ url }) => (url.endsWith('/responses') ? fine() : { body: completion('fine') }));
    const { baseURL } = api;
    const client = clientOf({ api: 'chat', endpoints: [{ apiKey: 'k', baseURL, api: 'responses' }] });
    await client.describe({ image: image() });
    expect(api.seen.at(-1)?.url).toBe('/v1/responses');
  });

  it('goes to Azure with the deployment in its body', async () => {
    const api = await startApi(fine);
    const client = clientOf({ baseURL: api.origin, apiVersion: '2025-04-01-preview', model: 'my-deployment' });
    await client.describe({ image: image() });
    expect(api.seen.find(({ method }) => method === 'POST')).toMatchObject({
      url: '/openai/responses?api-version=2025-04-01-preview',
      headers: { 'api-key': 'k' },
      body: { model: 'my-deployment' },
    });
  });

  it('is sent by the method that a program has put in place of that of the client', async () => {
    const api = await startApi(fine);
    let traced = 0;
    const wrap = (client: OpenAI) => {
      const create = client.responses.create.bind(client.responses);
      client.responses.create = ((...given: Parameters<typeof create>) => {
        traced += 1;
        return create(...given);
      }) as typeof client.responses.create;
      return client;
    };
    const pooled = clientOf({ baseURL: api.baseURL, pool: { min: 1, max: 1 } });
    await pooled.pools['default']?.use(async (client) => void wrap(client));
    await pooled.describe({ image: image() });
    await clientOf({ baseURL: api.baseURL, pool: () => ownPool(api.baseURL, wrap) }).describe({ image: image() });
    expect(traced).toBe(2);
    expect(api.bodies()[1]).toMatchObject({ input: [{ role: 'user' }], store: false });
  });

  it('names what is wrong where the clients of a pool lack the method', async () => {
    const api = await startApi(fine);
    const older = (client: OpenAI) => ({ chat: client.chat }) as unknown as OpenAI;
    const client = clientOf({ baseURL: api.baseURL, pool: () => ownPool(api.baseURL, older) });
    await expect(client.describe({ image: image() })).rejects.toMatchObject({
      code: 'DESCRIBE_CONFIG_INVALID',
      message: expect.stringContaining('responses.create'),
    });
  });

  it('is written without the parameters that a server refuses by name', async () => {
    const refused = ['store', 'temperature', 'reasoning', 'max_output_tokens'];
    const api = await startApi(({ body = {} }) => {
      const name = refused.find((each) => each in body);
      if (name === undefined) return fine();
      const param = name === 'reasoning' ? 'reasoning.effort' : name;
      const words = `Unsupported parameter: '${param}' is not supported with this model.`;
      return { status: 400, body: { error: { message: words, param, code: 'unsupported_parameter' } } };
    });
    const client = clientOf({ baseURL: api.baseURL, temperature: 0, model: 'gpt-5-mini', retry: false });
    await client.describe({ image: image() });
    await client.describe({ image: image() });
    expect(api.bodies()).toHaveLength(6);
    expect(Object.keys(api.bodies()[5] ?? {}).sort()).toEqual(['input', 'model']);
  });

  it('is sent again with the bytes of an image whose address the API could not load', async () => {
    const api = await startApi(({ url, body }) => {
      if (url === '/cat.png') return { body: '' };
      const error = { code: 'failed_to_download_image', message: 'Failed to download image.' };
      const isUrl = JSON.stringify(body).includes('"image_url":"http');
      return isUrl ? { body: response([], { status: 'failed', error }) } : fine();
    });
    const client = clientOf({ baseURL: api.baseURL, images: { allowHosts: ['127.0.0.1'] }, pool: publicPool });
    const imageUrl = `${api.origin}/cat.png`;
    const code = await codeOf(client.describe({ imageUrl }));
    // The image is empty: it was loaded here, after the API had failed to.
    expect(code).toMatch(/^DESCRIBE_IMAGE_/);
    expect(api.seen.map(({ url }) => url)).toContain('/cat.png');
  });
});

import { AzureOpenAI } from 'openai';
import { describe, expect, it } from 'vitest';
import { base, CHAT, image, user, useStrictFake } from './strict-fake.fixture.ts';
import { chatBody, clientOf, imageUrl, post } from './test-clients.ts';

const server = useStrictFake();
const schemaOf = (schema: object, more: object = {}) => ({
  response_format: { type: 'json_schema', json_schema: { name: 'x', schema, ...more } },
});

const closed = { type: 'object', additionalProperties: false };
const nested = (depth: number): object =>
  depth === 0 ? { type: 'string' } : { ...closed, properties: { a: nested(depth - 1) }, required: ['a'] };
const strictly = (schema: object) => schemaOf(schema, { strict: true });

describe('chat requests that are wrong', () => {
  const url = imageUrl();
  const rows: [string, unknown, Record<string, unknown>][] = [
    ['no JSON', '{"model":', { param: null, code: null }],
    ['JSON that is no object', '[]', { param: null, code: null }],
    ['no model', { ...base, model: undefined }, { param: null, code: null }],
    ['no messages', { model: 'gpt-4o' }, { param: 'messages', code: 'missing_required_parameter' }],
    ['messages of another type', { ...base, messages: 'hi' }, { param: 'messages', code: 'invalid_type' }],
    ['empty messages', { ...base, messages: [] }, { param: 'messages', code: 'empty_array' }],
    ['an unknown parameter', { ...base, max_token: 5 }, { param: null, code: null }],
    [
      'an unknown role',
      { ...base, messages: [{ role: 'bot', content: 'x' }] },
      { param: 'messages[0].role', code: 'invalid_value' },
    ],
    [
      'no content',
      { ...base, messages: [{ role: 'user' }] },
      { param: 'messages[0].content', code: 'missing_required_parameter' },
    ],
    [
      'content that is null',
      { ...base, messages: [{ role: 'user', content: null }] },
      { param: 'messages[0].content', code: 'invalid_type' },
    ],
    [
      'a part of Responses',
      { ...base, ...user({ type: 'input_text', text: 'x' }) },
      { param: 'messages[0].content[0].type', code: 'invalid_value' },
    ],
    [
      'an image of the assistant',
      { ...base, messages: [{ role: 'assistant', content: [{ type: 'image_url', image_url: { url } }] }] },
      { param: 'messages[0].content[0].type', code: 'invalid_value' },
    ],
    [
      'an image_url that is a string',
      { ...base, ...user({ type: 'image_url', image_url: url }) },
      { param: 'messages[0].content[0].image_url', code: 'invalid_type' },
    ],
    [
      'an unknown detail',
      { ...base, ...image(url, { detail: 'medium' }) },
      { param: 'messages[0].content[0].image_url.detail', code: 'invalid_value' },
    ],
    ['detail original', { ...base, ...image(url, { detail: 'original' }) }, { code: 'invalid_value' }],
    [
      'zero tokens',
      { ...base, max_completion_tokens: 0 },
      { param: 'max_completion_tokens', code: 'integer_below_min_value' },
    ],
    ['half a token', { ...base, max_tokens: 1.5 }, { param: 'max_tokens', code: 'invalid_type' }],
    ['both token limits', { ...base, max_tokens: 5, max_completion_tokens: 5 }, { param: 'max_tokens' }],
    [
      'max_tokens for a reasoning model',
      { ...base, model: 'gpt-5', max_tokens: 5 },
      { param: 'max_tokens', code: 'unsupported_parameter' },
    ],
    [
      'a temperature for a reasoning model',
      { ...base, model: 'o3', temperature: 0.2 },
      { param: 'temperature', code: 'unsupported_value' },
    ],
    ['an effort for a model without reasoning', { ...base, reasoning_effort: 'low' }, { param: null, code: null }],
    [
      'an effort that the model lacks',
      { ...base, model: 'gpt-5.1', reasoning_effort: 'minimal' },
      { param: 'reasoning_effort', code: 'unsupported_value' },
    ],
    [
      'a verbosity that an older model lacks',
      { ...base, verbosity: 'high' },
      { param: 'verbosity', code: 'unsupported_value' },
    ],
    [
      'an unknown stream option',
      { ...base, stream: true, stream_options: { usage: true } },
      { param: 'stream_options.usage', code: 'unknown_parameter' },
    ],
    ['too hot a temperature', { ...base, temperature: 2.1 }, { param: 'temperature', code: 'decimal_above_max_value' }],
    ['stream that is no boolean', { ...base, stream: 'yes' }, { param: 'stream', code: 'invalid_type' }],
    [
      'stream_options without stream',
      { ...base, stream_options: { include_usage: true } },
      { param: 'stream_options', code: null },
    ],
    [
      'json_object without the word',
      { ...base, response_format: { type: 'json_object' } },
      { param: 'messages', code: null },
    ],
    [
      'an unknown response format',
      { ...base, response_format: { type: 'xml' } },
      { param: 'response_format.type', code: 'invalid_value' },
    ],
    [
      'no json_schema',
      { ...base, response_format: { type: 'json_schema' } },
      { param: 'response_format.json_schema', code: 'missing_required_parameter' },
    ],
    [
      'a schema name with a space',
      {
        ...base,
        response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: { type: 'object' } } },
      },
      { param: 'response_format.json_schema.name' },
    ],
    [
      'a strict schema that is open',
      { ...base, ...schemaOf({ type: 'object', properties: {} }, { strict: true }) },
      { param: 'response_format', code: 'invalid_json_schema' },
    ],
    [
      'a strict schema with an optional property',
      {
        ...base,
        ...schemaOf(
          {
            type: 'object',
            additionalProperties: false,
            properties: { a: { type: 'string' } },
            required: [],
          },
          { strict: true },
        ),
      },
      { code: 'invalid_json_schema' },
    ],
    [
      'a strict schema that is open further down',
      {
        ...base,
        ...schemaOf(
          {
            type: 'object',
            additionalProperties: false,
            properties: { a: { type: 'array', items: { type: 'object', properties: {} } } },
            required: ['a'],
          },
          { strict: true },
        ),
      },
      { code: 'invalid_json_schema' },
    ],
    ...['allOf', 'oneOf', 'not', 'if'].map((keyword): [string, unknown, Record<string, unknown>] => [
      `a strict schema with ${keyword}`,
      { ...base, ...strictly({ ...closed, properties: {}, required: [], [keyword]: [] }) },
      { code: 'invalid_json_schema', message: expect.stringContaining(`'${keyword}' is not permitted`) },
    ]),
    ...[{}, { type: 'array' }, { type: 'object' }].map((inner): [string, unknown, Record<string, unknown>] => [
      `a strict schema with a property of ${JSON.stringify(inner)}`,
      { ...base, ...strictly({ ...closed, properties: { a: inner }, required: ['a'] }) },
      { code: 'invalid_json_schema' },
    ]),
    [
      'a strict schema that requires more than it has',
      { ...base, ...strictly({ ...closed, properties: {}, required: ['a'] }) },
      { code: 'invalid_json_schema' },
    ],
    [
      'a strict schema that is too deep',
      { ...base, ...strictly(nested(12)) },
      { code: 'invalid_json_schema', message: expect.stringContaining('maximum nesting depth') },
    ],
    [
      'too much metadata',
      { ...base, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v'])) },
      { param: 'metadata', code: 'object_above_max_properties' },
    ],
    ['a seed that is text', { ...base, seed: '7' }, { param: 'seed', code: 'invalid_type' }],
    ['an unknown service tier', { ...base, service_tier: 'gold' }, { param: 'service_tier' }],
    ['metadata of numbers', { ...base, metadata: { a: 1 } }, { param: 'metadata.a', code: 'invalid_type' }],
    ['store that is text', { ...base, store: 'no' }, { param: 'store', code: 'invalid_type' }],
    ['too high a penalty', { ...base, presence_penalty: 3 }, { code: 'decimal_above_max_value' }],
    [
      'more than fits into the context',
      { ...base, model: 'gpt-4o', messages: [{ role: 'user', content: 'x'.repeat(600_000) }] },
      { param: 'messages', code: 'context_length_exceeded' },
    ],
  ];

  it.each(rows)('%s', async (_, body, error) => {
    const answer = await post(server(), CHAT, body);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ type: 'invalid_request_error', ...error });
    expect(Object.keys(answer.json.error ?? {})).toEqual(['message', 'type', 'param', 'code']);
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('takes what is only unusual', async () => {
    for (const more of [
      { max_tokens: null, stream: null, response_format: null },
      { temperature: 0, top_p: 0.5, seed: 4, store: false, user: 'me', n: 2, metadata: {} },
      { response_format: { type: 'text' } },
      schemaOf({ type: 'object', properties: { a: { type: 'string' } } }),
      strictly(nested(10)),
    ]) {
      expect((await post(server(), CHAT, { ...base, ...more })).status).toBe(200);
    }
  });
});

describe('who may ask for what', () => {
  it('lets in its own keys only, and says of a missing one what the API says', async () => {
    expect((await post(server(), CHAT, base, { authorization: 'Bearer sk-two' })).status).toBe(200);
    const wrong = await post(server(), CHAT, base, { authorization: 'Bearer sk-secret-value' });
    expect(wrong.status).toBe(401);
    expect(wrong.json.error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key' });
    expect(wrong.text).not.toContain('secret-value');
    const missing = await post(server(), CHAT, base, { authorization: '' });
    expect(missing.status).toBe(401);
    expect(missing.json.error).toMatchObject({
      code: null,
      message: expect.stringContaining("didn't provide"),
    });
    expect(JSON.stringify(server().seen())).not.toContain('secret-value');
  });

  it("speaks to Azure's client, by deployment and api-key", async () => {
    const client = new AzureOpenAI({
      endpoint: server().url,
      apiKey: 'sk-one',
      apiVersion: '2025-04-01-preview',
      deployment: 'gpt-4o',
      maxRetries: 0,
    });
    const { choices } = await client.chat.completions.create({ ...chatBody(), model: 'gpt-4o' });
    expect(choices[0]?.message.content).toMatch(/^PNG 8×8/);
    expect(server().seen().at(-1)).toMatchObject({
      path: '/openai/deployments/gpt-4o/chat/completions',
      apiKey: 'sk-one',
    });
  });

  it('survives a model name that is no URL', async () => {
    const answer = await fetch(`${server().baseURL}/models/%E0%A4%A`, {
      headers: { authorization: 'Bearer sk-one' },
    });
    expect(answer.status).toBe(404);
  });

  it('knows its models, URLs and methods only', async () => {
    const unknown = await post(server(), CHAT, { ...base, model: 'gpt-9' });
    expect(unknown.status).toBe(404);
    expect(unknown.json.error).toMatchObject({
      code: 'model_not_found',
      type: 'invalid_request_error',
      param: null,
    });
    expect((await post(server(), '/v1/completions', base)).json.error?.message).toBe(
      'Invalid URL (POST /v1/completions)',
    );
    expect((await post(server(), '/v1/models', base)).status).toBe(405);
    expect(
      (await post(server(), CHAT, { ...base, messages: [{ role: 'user', content: 'x'.repeat(2.1e6) }] })).status,
    ).toBe(413);
  });
});

describe('the output limit', () => {
  it('cuts the answer, with finish reason length', async () => {
    const cut = await clientOf(server()).chat.completions.create({ ...chatBody(), max_completion_tokens: 2 });
    expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'PNG 8×8 ' } });
    expect(cut.usage?.completion_tokens).toBe(2);
  });
});

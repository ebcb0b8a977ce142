import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { createTestImage, type FakeOpenAI, type FaultRule, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeRequest } from './options/describe-request.ts';

/** Every scenario ends alike through both APIs, whole and streamed, in each dialect. */
type Fault = FaultRule['fault'];
type End = 'text' | 'data' | 'cut text' | `DESCRIBE_${string}`;

const schema = {
  name: 'label',
  jsonSchema: {
    type: 'object',
    properties: { description: { type: 'string' } },
    required: ['description'],
    additionalProperties: false,
  },
  parse: (value: unknown) => {
    const { description } = value as { readonly description?: unknown };
    if (typeof description !== 'string') throw new Error('no description');
    return { description };
  },
};

interface Scenario {
  readonly faults: readonly Fault[];
  readonly request?: Partial<DescribeRequest>;
  readonly end: End;
  /** Where a stream ends otherwise. */
  readonly streamed?: End;
  /** Whether the answer tells its usage. @defaultValue true */
  readonly tellsUsage?: boolean;
}

const THINKER = { model: 'gpt-5-mini' };
const html = '<html><body>Sign in</body></html>';

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a text': { faults: [], end: 'text' },
  'a text with the system message, a temperature and fields of the user': {
    faults: [],
    request: { system: 'Be brief.', temperature: 0, extraBody: { metadata: { a: 'b' }, top_p: 0.9 } },
    end: 'text',
  },
  'data of a schema': { faults: [], request: { schema }, end: 'data' },
  'a text of a reasoning model': { faults: [], request: THINKER, end: 'text' },
  'data of a reasoning model': { faults: [], request: { ...THINKER, schema }, end: 'data' },
  'a text after some reasoning': { faults: [{ kind: 'reasoning', tokens: 700 }], request: THINKER, end: 'text' },
  'reasoning that leaves no text': {
    faults: [{ kind: 'reasoning', tokens: 1e6 }],
    request: THINKER,
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'reasoning that leaves no data': {
    faults: [{ kind: 'reasoning', tokens: 1e6 }],
    request: { schema },
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'unknown fields, events and items': { faults: [{ kind: 'quirk', unknown: true }], end: 'text' },
  'unknown fields beside data': { faults: [{ kind: 'quirk', unknown: true }], request: { schema }, end: 'data' },
  'no usage': { faults: [{ kind: 'quirk', usage: false }], end: 'text', tellsUsage: false },
  'comments, other line ends, and cuts in the middle of letters': {
    faults: [{ kind: 'quirk', keepAlive: true, lineEnd: 'crlf', writes: 7, done: false }],
    end: 'text',
  },
  'all in one write': { faults: [{ kind: 'quirk', writes: 'joined' }], end: 'text' },
  'a refusal': { faults: [{ kind: 'refusal' }], end: 'DESCRIBE_REFUSED' },
  'a refusal in place of data': { faults: [{ kind: 'refusal' }], request: { schema }, end: 'DESCRIBE_REFUSED' },
  'incomplete: the limit': { faults: [{ kind: 'finish', reason: 'length' }], end: 'DESCRIBE_OUTPUT_TRUNCATED' },
  'incomplete: the limit, in data': {
    faults: [{ kind: 'finish', reason: 'length' }],
    request: { schema },
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'incomplete: the limit, before any text': {
    faults: [{ kind: 'finish', reason: 'length', text: '' }],
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'incomplete: the limit, and the text is taken': {
    faults: [{ kind: 'finish', reason: 'length' }],
    request: { onTruncated: 'return' },
    end: 'cut text',
  },
  'incomplete: the limit, in data that are taken': {
    faults: [{ kind: 'finish', reason: 'length' }],
    request: { schema, onTruncated: 'return' },
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'incomplete: the limit, before any text that is taken': {
    faults: [{ kind: 'finish', reason: 'length', text: ' ' }],
    request: { onTruncated: 'return' },
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'incomplete: the limit, within the thoughts': {
    faults: [{ kind: 'finish', reason: 'length', text: '<think>It looks' }],
    request: { onTruncated: 'return' },
    end: 'DESCRIBE_OUTPUT_TRUNCATED',
  },
  'incomplete: the limit, after the thoughts': {
    faults: [{ kind: 'finish', reason: 'length', text: '<think>It looks</think>A red' }],
    request: { onTruncated: 'return' },
    end: 'cut text',
  },
  'incomplete: a filter': { faults: [{ kind: 'finish', reason: 'content_filter' }], end: 'DESCRIBE_REFUSED' },
  'incomplete: a filter, before any text': {
    faults: [{ kind: 'finish', reason: 'content_filter', text: '' }],
    end: 'DESCRIBE_REFUSED',
  },
  'incomplete: too many messages': {
    faults: [{ kind: 'finish', reason: 'max_messages' }],
    end: 'DESCRIBE_RESPONSE_INVALID',
  },
  'incomplete: steered': { faults: [{ kind: 'finish', reason: 'steered' }], end: 'DESCRIBE_RESPONSE_INVALID' },
  'an empty text': { faults: [{ kind: 'finish', reason: 'stop', text: '' }], end: 'DESCRIBE_REFUSED' },
  'a blank text': { faults: [{ kind: 'finish', reason: 'stop', text: ' \n ' }], end: 'DESCRIBE_REFUSED' },
  'empty data': {
    faults: [{ kind: 'finish', reason: 'stop', text: '' }],
    request: { schema },
    end: 'DESCRIBE_REFUSED',
  },
  'data of another shape': {
    faults: [{ kind: 'wrong-json', where: 'content' }],
    request: { schema },
    end: 'DESCRIBE_RESPONSE_INVALID',
  },
  'data that break off': {
    faults: [{ kind: 'truncate', where: 'content' }],
    request: { schema },
    end: 'DESCRIBE_RESPONSE_INVALID',
  },
  'failed: the server': { faults: [{ kind: 'status', status: 'failed' }], end: 'DESCRIBE_UPSTREAM' },
  'failed: the rate': {
    faults: [{ kind: 'status', status: 'failed', code: 'rate_limit_exceeded' }],
    end: 'DESCRIBE_RATE_LIMITED',
  },
  'failed: the image': {
    faults: [{ kind: 'status', status: 'failed', code: 'invalid_image' }],
    end: 'DESCRIBE_IMAGE_UNREADABLE',
  },
  'failed: the policy': {
    faults: [{ kind: 'status', status: 'failed', code: 'image_content_policy_violation' }],
    end: 'DESCRIBE_REFUSED',
  },
  'failed: the quota': {
    faults: [{ kind: 'status', status: 'failed', code: 'insufficient_quota' }],
    end: 'DESCRIBE_QUOTA_EXHAUSTED',
  },
  'an error inside a 200': {
    faults: [{ kind: 'error', status: 200, body: JSON.stringify({ error: { code: 429, message: 'slow down' } }) }],
    end: 'DESCRIBE_RATE_LIMITED',
  },
  'a page inside a 200': { faults: [{ kind: 'error', status: 200, body: html }], end: 'DESCRIBE_RESPONSE_INVALID' },
  'JSON of another shape': { faults: [{ kind: 'wrong-json' }], end: 'DESCRIBE_RESPONSE_INVALID' },
  'an error in the middle': {
    faults: [{ kind: 'stream-error', code: 'server_is_overloaded' }],
    end: 'text',
    streamed: 'DESCRIBE_OVERLOADED',
  },
  'an error about the quota in the middle': {
    faults: [{ kind: 'stream-error', code: 'insufficient_quota', afterEvents: 1 }],
    end: 'text',
    streamed: 'DESCRIBE_QUOTA_EXHAUSTED',
  },
  'a body that ends early': { faults: [{ kind: 'truncate', where: 'body' }], end: 'DESCRIBE_RESPONSE_INVALID' },
  'a connection that breaks in the middle': { faults: [{ kind: 'reset', at: 'mid-body' }], end: 'DESCRIBE_UPSTREAM' },
  'a connection that breaks before': { faults: [{ kind: 'reset', at: 'before-answer' }], end: 'DESCRIBE_UPSTREAM' },
  'status 500': { faults: [{ kind: 'error', status: 500 }], end: 'DESCRIBE_UPSTREAM' },
  'status 502, a page': { faults: [{ kind: 'error', status: 502 }], end: 'DESCRIBE_UPSTREAM' },
  'status 503': { faults: [{ kind: 'error', code: 'server_is_overloaded' }], end: 'DESCRIBE_OVERLOADED' },
  'status 401': { faults: [{ kind: 'error', code: 'invalid_api_key' }], end: 'DESCRIBE_AUTH' },
  'status 404, the model': { faults: [{ kind: 'error', code: 'model_not_found' }], end: 'DESCRIBE_UPSTREAM' },
  'status 400, the context': {
    faults: [{ kind: 'error', code: 'context_length_exceeded' }],
    end: 'DESCRIBE_CONTEXT_TOO_LONG',
  },
  'status 400, the image': { faults: [{ kind: 'error', code: 'invalid_image' }], end: 'DESCRIBE_IMAGE_UNREADABLE' },
};

const APIS = ['chat', 'responses'] as const;
const DIALECTS = ['auto', 'openai', 'generic'] as const;

let server: FakeOpenAI;
beforeAll(async () => {
  server = await startFakeOpenAI({ record: true, cachedPromptRatio: 0.5 });
});
afterAll(() => server.close());

let images = 0;

/** The end of one call, as far as it is to be the same everywhere. */
async function endOf(client: DescribeClient, request: DescribeRequest, isStreamed: boolean): Promise<object> {
  try {
    if (!isStreamed) return endedWell(await client.describe(request));
    const stream = client.stream(request);
    let text = '';
    for await (const delta of stream) text += delta;
    const result = await stream.result;
    expect(text).toBe(result.description);
    return endedWell(result);
  } catch (error) {
    if (!DescribeError.is(error)) throw error;
    const { code, retryable, usage, explain } = error;
    const attempts = explain?.attempts.map((attempt) => [attempt.outcome, attempt.code]);
    return { code, retryable, usage, attempts };
  }
}

function endedWell({
  description,
  data,
  truncated,
  usage,
  costUsd,
  model,
}: Awaited<ReturnType<DescribeClient['describe']>>) {
  expect(description.trim()).not.toBe('');
  return { description, data, truncated, usage, costUsd, model };
}

const kindOf = (end: { code?: unknown; truncated?: unknown; data?: unknown }): End => {
  if (end.code !== undefined) return end.code as End;
  if (end.truncated !== undefined) return 'cut text';
  return end.data === undefined ? 'text' : 'data';
};

describe('both APIs end alike', () => {
  it.each(Object.entries(SCENARIOS))('%s', async (_name, { faults, request, end, streamed = end, tellsUsage }) => {
    server.setFaults(faults.map((fault) => ({ fault })));
    images += 1;
    const image = createTestImage({ seed: images, width: 32, height: 32 });
    for (const isStreamed of [false, true]) {
      const ends: object[] = [];
      for (const dialect of DIALECTS) {
        for (const api of APIS) {
          const client = createDescribeClient({
            ...{ apiKey: server.apiKey, baseURL: server.baseURL, api, dialect },
            ...{ monitor: false, circuitBreaker: false },
            retry: { initialDelayMs: 1, maxDelayMs: 1, budget: false },
            pool: { min: 0 },
          });
          const given = { image, ...request };
          const ended = await endOf(client, given, isStreamed);
          ends.push(ended);
          expect([api, dialect, isStreamed, kindOf(ended)]).toEqual([
            api,
            dialect,
            isStreamed,
            isStreamed ? streamed : end,
          ]);
          // Nothing but a description is cached.
          const again = await endOf(client, { ...given, cache: 'only-if-cached' }, false);
          expect('code' in again).toBe(!['text', 'data'].includes(kindOf(ended)));
          await client.destroy();
        }
      }
      // A generic server is not told the effort, so its model thinks for longer.
      for (const [index, ended] of ends.entries()) if (index % 2 === 1) expect(ended).toEqual(ends[index - 1]);
      if (request?.model === undefined) expect(new Set(ends.map((ended) => JSON.stringify(ended))).size).toBe(1);
      if (tellsUsage === false) expect(ends[0]).toMatchObject({ usage: undefined });
    }
    const seen = server.seen().filter(({ endpoint }) => endpoint === 'responses');
    expect(seen.every(({ body }) => (body as { store?: unknown }).store === false)).toBe(true);
    server.reset();
  });
});

describe('packs', () => {
  const packFaults: Readonly<Record<string, readonly FaultRule[]>> = {
    'all of them': [],
    'one missing': [{ fault: { kind: 'items', change: 'missing' }, times: 1 }],
    'one twice': [{ fault: { kind: 'items', change: 'duplicated' }, times: 1 }],
    'in another order': [{ fault: { kind: 'items', change: 'reordered' } }],
    'a refusal of all': [{ fault: { kind: 'refusal' }, times: 1 }],
    'a text that is no JSON': [{ fault: { kind: 'truncate', where: 'content' }, times: 1 }],
    'the limit': [{ fault: { kind: 'finish', reason: 'length' }, times: 1 }],
    'a failed response': [{ fault: { kind: 'status', status: 'failed' }, times: 1 }],
    'unknown items': [{ fault: { kind: 'quirk', unknown: true } }],
  };

  it.each(Object.entries(packFaults))('come out of both APIs alike: %s', async (_name, rules) => {
    const ends: unknown[] = [];
    for (const api of APIS) {
      server.setFaults(rules);
      server.reset();
      images = 900;
      const client = createDescribeClient({
        ...{ apiKey: server.apiKey, baseURL: server.baseURL, api, monitor: false, model: 'gpt-5-mini' },
        retry: { initialDelayMs: 1, maxDelayMs: 1, budget: false },
        batch: { batchSize: 3, maxBatchWaitMs: 50 },
      });
      const described = [1, 2, 3].map((seed) =>
        endOf(client, { image: createTestImage({ seed: images + seed, width: 32, height: 32 }) }, false),
      );
      const results = await Promise.all(described);
      ends.push({ results, requests: server.seen().filter(({ method }) => method === 'POST').length });
      await client.destroy();
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[0]).toMatchObject({ results: Array(3).fill({ description: expect.stringMatching(/\S/) }) });
  });
});

describe('a stream whose reasoning left no text', () => {
  it.each(APIS)('is asked for once more before its first delta, with twice the limit: %s', async (api) => {
    server.reset();
    server.setFaults([{ fault: { kind: 'reasoning', tokens: 1e6 }, times: 1 }]);
    const client = createDescribeClient({
      ...{ apiKey: server.apiKey, baseURL: server.baseURL, api, monitor: false, ...THINKER },
      retry: { initialDelayMs: 1, maxDelayMs: 1 },
    });
    const ended = await endOf(client, { image: createTestImage({ seed: 999, width: 32, height: 32 }) }, true);
    expect(kindOf(ended)).toBe('text');
    const limits = server.seen().flatMap(({ body }) => {
      const { max_completion_tokens: ofChat, max_output_tokens: ofResponses } = (body ?? {}) as Record<string, number>;
      return ofChat ?? ofResponses ?? [];
    });
    expect(limits).toEqual([1_324, 2_648]);
    expect((ended as { usage: { completionTokens: number } }).usage.completionTokens).toBeGreaterThan(1_324);
    await client.destroy();
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

let api: Awaited<ReturnType<typeof startRawApi>> | undefined;
let client: DescribeClient | undefined;
afterEach(async () => {
  await client?.destroy();
  await api?.[Symbol.asyncDispose]();
});

const [image, other] = [createTestImage({ seed: 1 }), createTestImage({ seed: 2 })];

/** Answers in the requested form: one object for an image, or one for each id of a pack. */
const answer = (body: unknown) => {
  const ids = [...JSON.stringify(body).matchAll(/"id (\w+)"/g)].map(([, id]) => id);
  const data = { colour: 'a secret red' };
  return JSON.stringify(ids.length === 0 ? data : { items: ids.map((id) => ({ id, data })) });
};

async function start(options: DescribeClientOptions = {}) {
  api = await startRawApi(({ method, body }) =>
    method === 'GET' ? { body: { object: 'list', data: [] } } : { body: completion(answer(body)) },
  );
  client = createDescribeClient({
    apiKey: 'sk-1',
    baseURL: api.baseURL,
    retry: { initialDelayMs: 1, maxDelayMs: 2 },
    ...options,
  });
  return client;
}

const requests = () => api?.bodies().length ?? 0;

const schemaOf = (parse: (value: unknown) => unknown) => ({
  name: 'cat',
  jsonSchema: {
    type: 'object',
    properties: { colour: { type: 'string' } },
    required: ['colour'],
    additionalProperties: false,
  },
  parse,
});

const failureOf = async (promise: Promise<unknown>): Promise<DescribeError> => {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!DescribeError.is(error)) throw new TypeError('it did not fail as it should');
  return error;
};

class WrongColour extends Error {}
/** As in superstruct: a validator's own error, derived from one of the language. */
class StructError extends TypeError {
  override readonly name = 'StructError';
}

describe.each([
  ['alone', {}],
  ['in packs', { batch: { batchSize: 2, maxBatchWaitMs: 500 } }],
])('what schema.parse threw, %s', (_, options: DescribeClientOptions) => {
  const bothThrow = (describer: DescribeClient, thrown: unknown) => {
    const schema = schemaOf(() => {
      throw thrown;
    });
    return Promise.all([image, other].map((each) => failureOf(describer.describe({ image: each, schema }))));
  };

  it.each([
    new TypeError('value.nope is undefined'),
    new ReferenceError('nope is not defined'),
    new RangeError('invalid array length'),
  ])('is the cause, and is not asked for again where it is a mistake: $name', async (thrown) => {
    const describer = await start(options);
    const errors = await bothThrow(describer, thrown);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID', retryable: false });
      expect(error.cause).toBe(thrown);
      expect(error.message).toContain(thrown.name);
      expect(error.usage?.totalTokens).toBeGreaterThan(0);
    }
    expect(requests()).toBe('batch' in options ? 1 : 2);
  });

  it.each([new WrongColour('a secret red'), new StructError('a secret red'), 'a secret red'])(
    'is the cause, and is asked for again where it blames the answer',
    async (thrown) => {
      const describer = await start(options);
      const errors = await bothThrow(describer, thrown);
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID', retryable: true });
        expect(error.cause).toBe(thrown);
        expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('secret red');
      }
      expect(requests()).toBeGreaterThan(2);
    },
  );
});

describe('a mistake in schema.parse', () => {
  it('is no reason to ask for what is cached', async () => {
    const describer = await start();
    await describer.describe({ image, schema: schemaOf((value) => value) });
    const thrown = new TypeError('value.nope is undefined');
    const error = await failureOf(
      describer.describe({
        image,
        schema: schemaOf(() => {
          throw thrown;
        }),
      }),
    );
    expect(error.cause).toBe(thrown);
    expect(requests()).toBe(1);
  });

  it('is no reason to fall back to another model', async () => {
    const describer = await start({ fallback: [{ model: 'gpt-4.1-nano' }] });
    await failureOf(
      describer.describe({
        image,
        schema: schemaOf(() => {
          throw new TypeError('x');
        }),
      }),
    );
    expect(requests()).toBe(1);
  });
});

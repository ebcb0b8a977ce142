import { afterEach, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { type RawReply, startRawApi } from './raw-api.fixture.ts';

let api: Awaited<ReturnType<typeof startRawApi>> | undefined;
let client: DescribeClient | undefined;
afterEach(async () => {
  await client?.destroy();
  await api?.[Symbol.asyncDispose]();
});

/** A chat completion that was billed 1,000 tokens of prompt and 300 of answer. */
const completion = (content: string, finishReason = 'stop') => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4.1-mini-2025-04-14',
  choices: [{ index: 0, finish_reason: finishReason, message: { role: 'assistant', content } }],
  usage: { prompt_tokens: 1000, completion_tokens: 300, total_tokens: 1300 },
});
const cutOff = () => ({ body: completion('A red', 'length') });
const requests = () => api?.bodies().length ?? 0;

const [image, other] = [createTestImage({ seed: 1 }), createTestImage({ seed: 2 })];
const ONCE = { promptTokens: 1000, completionTokens: 300, totalTokens: 1300 };
/** At the prices of gpt-4.1-mini: $0.40 and $1.60 for a million. */
const COST_USD = 0.00088;

async function start(answer: (number: number) => RawReply | Promise<RawReply>, options: DescribeClientOptions = {}) {
  api = await startRawApi(({ method }) =>
    method === 'GET' ? { body: { object: 'list', data: [] } } : answer(requests()),
  );
  client = createDescribeClient({
    apiKey: 'sk-1',
    baseURL: api.baseURL,
    retry: { initialDelayMs: 1, maxDelayMs: 2 },
    ...options,
  });
  return client;
}

const failureOf = async (promise: Promise<unknown>): Promise<DescribeError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!DescribeError.is(error)) throw new TypeError('it did not fail as it should');
  return error;
};

const schema = {
  name: 'cat',
  jsonSchema: { type: 'object', properties: {}, additionalProperties: false },
};

describe('a failed call that was billed', () => {
  it('tells the tokens and the price of an answer that was cut off', async () => {
    const describer = await start(cutOff);
    const error = await failureOf(describer.describe({ image }));
    expect(error).toMatchObject({ code: 'DESCRIBE_OUTPUT_TRUNCATED', usage: ONCE, costUsd: COST_USD });
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ usage: ONCE, costUsd: COST_USD });
  });

  it('tells what an answer was billed that an error broke off', async () => {
    const { choices, ...rest } = completion('A re', 'error');
    const broken = { ...choices[0], error: { code: 400, message: 'the provider hung up' } };
    const describer = await start(() => ({ body: { ...rest, choices: [broken] } }));
    const error = await failureOf(describer.describe({ image }));
    expect(error).toMatchObject({ code: 'DESCRIBE_UPSTREAM', usage: ONCE, costUsd: COST_USD });
  });

  it('adds up the attempts of the call', async () => {
    const describer = await start(() => ({ body: completion('no JSON') }));
    const error = await failureOf(describer.describe({ image, schema }));
    expect(requests()).toBeGreaterThan(1);
    const attempts = requests();
    expect(error).toMatchObject({
      code: 'DESCRIBE_RESPONSE_INVALID',
      usage: {
        promptTokens: attempts * 1000,
        completionTokens: attempts * 300,
        totalTokens: attempts * 1300,
      },
    });
    expect(error.costUsd).toBe(Number((attempts * COST_USD).toFixed(12)));
  });

  it('counts the answers of no use into a call that succeeds at last', async () => {
    const describer = await start((number) => ({ body: completion(number === 1 ? 'no JSON' : '{}') }));
    expect(await describer.describe({ image, schema })).toMatchObject({
      usage: { promptTokens: 2000, completionTokens: 600, totalTokens: 2600 },
      costUsd: 0.00176,
    });
  });

  it('has neither where nothing was billed, or the API named no tokens', async () => {
    const refused = await start(() => ({ status: 400, body: { error: { message: 'no' } } }));
    const first = await failureOf(refused.describe({ image }));
    expect(Object.keys(first)).not.toContain('usage');
    await refused.destroy();
    await api?.[Symbol.asyncDispose]();
    const silent = await start(() => ({ body: { ...completion('A', 'length'), usage: null } }));
    const second = await failureOf(silent.describe({ image }));
    expect(Object.keys(second)).not.toContain('usage');
    expect(Object.keys(second)).not.toContain('costUsd');
  });

  it('has no price for a model without one', async () => {
    const describer = await start(() => ({ body: { ...completion('A red', 'length'), model: 'my-own' } }), {
      model: 'my-own',
    });
    const error = await failureOf(describer.describe({ image }));
    expect(error.usage).toEqual(ONCE);
    expect(Object.keys(error)).not.toContain('costUsd');
  });

  it('charges the one that asked, and none that joined it', async () => {
    const describer = await start(cutOff, {
      cache: false,
    });
    const [one, two] = await Promise.all([
      failureOf(describer.describe({ image, maxOutputTokens: 100 })),
      failureOf(describer.describe({ image, maxOutputTokens: 100 })),
    ]);
    const billed = requests() * 1300;
    expect((one?.usage?.totalTokens ?? 0) + (two?.usage?.totalTokens ?? 0)).toBe(billed);
  });

  it('tells it of each item of describeMany', async () => {
    const describer = await start(cutOff);
    const seen: unknown[] = [];
    for await (const item of describer.describeMany([{ image }, { image: other }])) {
      seen.push(item.status === 'rejected' ? (item.reason as DescribeError).usage : item.status);
    }
    expect(seen).toEqual([ONCE, ONCE]);
  });

  it('shares a pack out: the parts of all images add up to what was billed', async () => {
    const describer = await start(() => ({ body: completion('{"items":', 'length') }), {
      batch: { batchSize: 2, maxBatchWaitMs: 1000 },
      cache: false,
    });
    const errors = await Promise.all([image, other].map((each) => failureOf(describer.describe({ image: each }))));
    expect(errors.map(({ code }) => code)).toEqual(['DESCRIBE_OUTPUT_TRUNCATED', 'DESCRIBE_OUTPUT_TRUNCATED']);
    const totals = errors.map(({ usage }) => usage?.totalTokens ?? 0);
    expect(Math.min(...totals)).toBeGreaterThan(1300);
    expect(totals.reduce((sum, part) => sum + part, 0)).toBe(requests() * 1300);
    const cost = errors.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
    expect(cost).toBeCloseTo(requests() * COST_USD, 10);
  });

  it('tells it although the call ended by its own deadline', async () => {
    const describer = await start((number) =>
      number === 1 ? { body: completion('no JSON') } : new Promise<RawReply>(() => {}),
    );
    const error = await failureOf(describer.describe({ image, schema, timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'DESCRIBE_TIMEOUT', usage: ONCE, costUsd: COST_USD });
  });
});

import { describe, expect, it } from 'vitest';
import type { DescribeError } from '../errors/describe-error.ts';
import { createTestImage } from '../testing/index.ts';
import { image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();

const limits = () =>
  server()
    .seen()
    .map(({ body }) => (body as { max_completion_tokens?: number }).max_completion_tokens);

const rejection = (promise: Promise<unknown>): Promise<DescribeError> =>
  promise.then(
    () => Promise.reject(new Error('it was answered')),
    (error: DescribeError) => error,
  );

describe('the output limit of a model that reasons', () => {
  it('has headroom for the reasoning, which leaves the text its own tokens', async () => {
    const client = start({ model: 'gpt-5-mini', reasoningEffort: 'low', maxOutputTokens: 100 });
    expect((await client.describe({ image })).description).not.toBe('');
    expect(limits()).toEqual([1_124]);
  });

  it('is as asked for where the model does not reason', async () => {
    await start({ model: 'gpt-5.1' }).describe({ image });
    await start({ model: 'gpt-4.1-mini' }).describe({ image });
    expect(limits()).toEqual([300, 300]);
  });

  it('is that of the model that the endpoint has in place of the named one', async () => {
    const { apiKey, baseURL } = server();
    await start({
      apiKey: undefined,
      baseURL: undefined,
      endpoints: [{ apiKey, baseURL, model: 'gpt-5-mini' }],
    }).describe({
      image,
    });
    expect(limits()).toEqual([1_324]);
  });

  it('counts in an estimate', async () => {
    const client = start({ model: 'gpt-5-mini' });
    expect(await client.estimate([{ image }])).toMatchObject({ outputTokens: 1_324 });
    expect(await client.estimate([{ image, reasoningEffort: 'none' }])).toMatchObject({ outputTokens: 300 });
  });
});

describe('an answer whose reasoning left no token for the text', () => {
  const thinks = (times: number) => {
    server().setFaults([{ fault: { kind: 'reasoning', tokens: 100_000 }, times }]);
  };

  it('is asked for once more with twice the limit, and paid twice', async () => {
    thinks(1);
    const { usage, explain } = await start({ model: 'gpt-5-mini' }).describe({ image });
    expect(limits()).toEqual([1_324, 2_648]);
    expect(explain.attempts.map(({ code }) => code)).toEqual(['DESCRIBE_OUTPUT_TRUNCATED', undefined]);
    expect(usage?.completionTokens).toBeGreaterThan(1_324);
  });

  it('fails as truncated after that, with the bill of both', async () => {
    thinks(9);
    const client = start({ model: 'gpt-5-mini' });
    const error = await rejection(client.describe({ image }));
    expect(error).toMatchObject({ code: 'DESCRIBE_OUTPUT_TRUNCATED', explain: { gaveUp: 'final' } });
    expect(error.usage?.completionTokens).toBe(1_324 + 2_648);
    expect(error.costUsd).toBeGreaterThan(0);
    expect(limits()).toEqual([1_324, 2_648]);
    // Nothing was stored.
    server().setFaults([]);
    expect(await client.describe({ image })).toMatchObject({ source: 'upstream' });
  });

  it.each([[{ retry: false as const }], [{ retry: { budget: { minRetries: 0 } } }]])(
    'is not asked for again where the retry is used up: %j',
    async (options) => {
      thinks(9);
      await rejection(start({ model: 'gpt-5-mini', ...options }).describe({ image }));
      expect(limits()).toEqual([1_324]);
    },
  );

  it('does so for a model that is not known to reason', async () => {
    thinks(1);
    expect((await start().describe({ image })).description).not.toBe('');
    expect(limits()).toEqual([300, 600]);
  });

  it('does not exceed the most that the model writes', async () => {
    thinks(1);
    const client = start({ model: 'gpt-4o', maxOutputTokens: 16_000 });
    await client.describe({ image });
    expect(limits()).toEqual([16_000, 16_384]);
  });

  it('halves a pack, each half of which has the headroom anew', async () => {
    thinks(1);
    const client = start({ model: 'gpt-5-mini', batch: { batchSize: 2, maxBatchWaitMs: 20 } });
    const images = [1, 2].map((seed) => createTestImage({ seed }));
    const described = await Promise.all(images.map((each) => client.describe({ image: each })));
    expect(described.map(({ description }) => description !== '')).toEqual([true, true]);
    expect(limits().slice(1)).toEqual([1_324, 1_324]);
  });

  it('is asked for again with a limit of its own when it went alone through the batch processor', async () => {
    thinks(1);
    await start({ model: 'gpt-5-mini', batch: { batchSize: 2, maxBatchWaitMs: 1 } }).describe({ image });
    expect(limits()).toEqual([1_324, 2_648]);
  });
});

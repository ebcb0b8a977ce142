import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestImage, describeImageFacts, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

let api: FakeOpenAI;
let corpus: Uint8Array[];
beforeAll(async () => {
  api = await startFakeOpenAI();
  const names = ['astronaut.png', 'chelsea.png', 'coffee.png', 'rocket.jpg', 'hubble_deep_field.jpg'];
  const photos = names.map((name) => readFile(new URL(`../../examples/images/${name}`, import.meta.url)));
  const sizes = [
    [1, 1],
    [32, 32],
    [33, 1],
    [513, 512],
    [1000, 3],
    [900, 1600],
    [2049, 700],
    [64, 2000],
  ] as const;
  const drawn = sizes.map(([width, height], seed) => createTestImage({ seed, width, height }));
  corpus = [...(await Promise.all(photos)), ...drawn];
});
afterEach(() => api.reset());
afterAll(() => api.close());

const schema = {
  name: 'facts',
  jsonSchema: {
    type: 'object',
    properties: { title: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
    required: ['title', 'tags'],
    additionalProperties: false,
  },
};
const SHORT = 'Describe this image.';
const LONG =
  'Say what stands in the foreground, in the background, and what the light is like, in three short sentences.';
/** Models that size images by patches and by tiles, and whose images are dear or cheap compared with text. */
const CASES = [
  { model: 'gpt-4.1-mini', detail: 'low', prompt: SHORT },
  { model: 'gpt-4o', detail: 'low', prompt: SHORT },
  { model: 'gpt-4o', detail: 'high', prompt: LONG },
  { model: 'gpt-5-mini', detail: 'high', prompt: LONG },
] as const;

const within = (estimated: number, actual: number) => Math.abs(estimated - actual) / actual;

/** Average tokens of an answer, at the fake server's four characters each. */
function answerTokens(structured: boolean): number {
  const answers = corpus.map((image) => {
    const facts = describeImageFacts(image);
    return structured ? JSON.stringify({ title: facts, tags: [facts] }) : facts;
  });
  return Math.round(answers.reduce((sum, { length }) => sum + Math.ceil(length / 4), 0) / answers.length);
}

/** The estimate for describing the corpus, and the bill. */
async function compare(clientOptions: DescribeClientOptions, request: object) {
  await using client = createDescribeClient({
    apiKey: api.apiKey,
    baseURL: api.baseURL,
    cache: false,
    ...clientOptions,
  });
  const inputs = corpus.map((image) => ({ image, ...request }));
  const described: { readonly costUsd?: number }[] = [];
  for await (const item of client.describeMany(inputs, { concurrency: inputs.length })) {
    if (item.status === 'rejected') throw item.reason;
    described.push(item.value);
  }
  const { tokensBilled, requestsBilled } = api.getStats();
  const expectedOutputTokens = answerTokens('schema' in request);
  const estimate = await client.estimate(inputs, { expectedOutputTokens });
  const costUsd = described.reduce((sum, result) => sum + (result.costUsd ?? Number.NaN), 0);
  return { estimate, prompt: tokensBilled.prompt, costUsd, requests: requestsBilled };
}

describe.each([
  ['alone', { batch: false }],
  ['in packs of 5', { batch: { batchSize: 5, maxBatchWaitMs: 1_000 } }],
  ['in packs of 2', { batch: { batchSize: 2, maxBatchWaitMs: 1_000 } }],
] as [string, DescribeClientOptions][])('the estimate of a corpus sent %s', (_, options) => {
  it.each([
    ['as text', {}],
    ['as JSON of a schema', { schema }],
  ])('comes within 2 %% of what is billed for it %s', async (__, request) => {
    for (const one of CASES) {
      const { estimate, prompt: billed, costUsd, requests } = await compare(options, { ...one, ...request });
      const what = `${JSON.stringify(one)}: ${JSON.stringify(estimate)}, ${billed}, ${costUsd}`;
      expect(estimate, what).toMatchObject({ calls: requests, images: corpus.length });
      expect(within(estimate.inputTokens ?? Number.NaN, billed), what).toBeLessThanOrEqual(0.02);
      expect(within(estimate.costUsd ?? Number.NaN, costUsd), what).toBeLessThanOrEqual(0.02);
      api.reset();
    }
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { costUsd } from '../openai/index.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';

let api: FakeOpenAI;
beforeAll(async () => {
  api = await startFakeOpenAI({ cachedPromptRatio: 0.6 });
});
afterEach(() => api.reset());
afterAll(() => api.close());

const MODEL = 'gpt-4.1-mini';
const images = () =>
  [300, 700, 1024, 900].map((width, seed) => createTestImage({ seed: 20 + seed, width, height: 800 }));

it('counts what is written into that cache at its higher price, from gpt-5.6 on', async () => {
  await using client = createDescribeClient({ apiKey: api.apiKey, baseURL: api.baseURL, model: 'gpt-5.6-luna' });
  const { usage, costUsd: price } = await client.describe({
    image: createTestImage({ seed: 9, width: 1_300, height: 1_200 }),
    detail: 'high',
  });
  const { promptTokens = 0, cachedPromptTokens = 0, cacheWritePromptTokens = 0, completionTokens = 0 } = usage ?? {};
  expect(cacheWritePromptTokens).toBe(promptTokens - cachedPromptTokens);
  const tokens = { inputTokens: promptTokens, outputTokens: completionTokens, cachedInputTokens: cachedPromptTokens };
  const whole = costUsd('gpt-5.6-luna', { ...tokens, cacheWriteTokens: cacheWritePromptTokens }) ?? Number.NaN;
  expect(price).toBeCloseTo(whole, 12);
  expect(whole).toBeGreaterThan(costUsd('gpt-5.6-luna', tokens) ?? Number.NaN);
});

describe.each([
  ['alone', false as const],
  ['in packs', { batchSize: 4, maxBatchWaitMs: 20 }],
])('the price of images sent %s', (_, batch) => {
  it("counts what came from the API's prompt cache at its lower price, and adds up", async () => {
    await using client = createDescribeClient({ apiKey: api.apiKey, baseURL: api.baseURL, batch });
    const results = await Promise.all(images().map((image) => client.describe(image)));
    const sum = (pick: (result: (typeof results)[number]) => number | undefined) =>
      results.reduce((total, result) => total + (pick(result) ?? Number.NaN), 0);
    const inputTokens = sum(({ usage }) => usage?.promptTokens);
    const outputTokens = sum(({ usage }) => usage?.completionTokens);
    const cachedInputTokens = results.reduce((total, { usage }) => total + (usage?.cachedPromptTokens ?? 0), 0);
    const { prompt, completion } = api.getStats().tokensBilled;
    expect([inputTokens, outputTokens]).toEqual([prompt, completion]);
    expect(cachedInputTokens).toBeGreaterThan(prompt * 0.3);
    expect(cachedInputTokens % 128).toBe(0);
    const price = costUsd(MODEL, { inputTokens, outputTokens, cachedInputTokens }) ?? Number.NaN;
    expect(sum((result) => result.costUsd)).toBeCloseTo(price, 12);
    expect(price).toBeLessThan(costUsd(MODEL, { inputTokens, outputTokens }) ?? 0);
  });
});

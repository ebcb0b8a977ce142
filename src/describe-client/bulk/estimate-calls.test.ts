import { describe, expect, it } from 'vitest';
import { systemClock } from '../../internal/clock.ts';
import { modelCatalog } from '../../openai/models/model-catalog.ts';
import { createTestImage } from '../../testing/index.ts';
import { ImageIntake } from '../call/image-intake.ts';
import type { DescribeClientOptions } from '../options/client-options.ts';
import { clientSettings } from '../options/client-settings.ts';
import type { DescribeInput } from '../options/describe-request.ts';
import type { EndpointOptions } from '../options/endpoint-options.ts';
import { type EstimateOptions, estimateCalls } from './estimate-calls.ts';

const PIXEL = createTestImage({ width: 512, height: 512 });
const images = (count: number): DescribeInput[] => Array.from({ length: count }, () => PIXEL);

const estimate = (
  inputs: Iterable<DescribeInput> | AsyncIterable<DescribeInput>,
  clientOptions: DescribeClientOptions = {},
  options: EstimateOptions = {},
  variables: Record<string, string> = {},
) => {
  const settings = clientSettings({ apiKey: 'sk-test', ...clientOptions }, variables);
  const intake = new ImageIntake({}, systemClock);
  return estimateCalls(inputs, options, { intake, settings, catalog: modelCatalog });
};

describe('the requests of an estimate', () => {
  it('hold an image each without batch, and under auto', async () => {
    for (const batch of [false, 'auto', undefined] as const) {
      expect(await estimate(images(12), { batch })).toMatchObject({ calls: 12, images: 12 });
    }
  });

  it('hold a batch each, by options and environment, and the rest what is left', async () => {
    expect(await estimate(images(12), { batch: { batchSize: 5 } })).toMatchObject({ calls: 3, images: 12 });
    expect(await estimate(images(12), { batch: {} }, {}, { BATCH_SIZE: '4' })).toMatchObject({ calls: 3 });
    expect(await estimate(images(12), { batch: {} })).toMatchObject({ calls: 3 });
    expect(await estimate(images(12), { batch: { batchSize: 1 } })).toMatchObject({ calls: 12 });
  });

  it('share a request only where prompt, model, detail, bound and schema are one', async () => {
    const schema = { name: 'facts', jsonSchema: { type: 'object' } };
    const requests = [
      {},
      { prompt: 'Another?' },
      { model: 'gpt-4o' },
      { detail: 'high' as const },
      { maxOutputTokens: 10 },
      { schema },
    ];
    const inputs = [...requests, ...requests].map((request) => ({ image: PIXEL, ...request }));
    expect(await estimate(inputs, { batch: { batchSize: 5 } })).toMatchObject({ calls: 6, images: 12 });
  });

  it('are bounded by tokens and bytes as those of the processor are', async () => {
    const tokens = await estimate(images(6), { batch: { batchSize: 6, maxPackTokens: 3 * (415 + 300) } });
    expect(tokens).toMatchObject({ calls: 2 });
    const bytes = await estimate(images(6), { batch: { batchSize: 6, maxPackBytes: PIXEL.length * 3 } });
    expect(bytes).toMatchObject({ calls: 3 });
  });

  it('are taken for full where there are more prompts than are kept in mind', async () => {
    const inputs = Array.from({ length: 2_400 }, (_, index) => ({
      image: PIXEL,
      prompt: `Say ${index % 1_200}.`,
    }));
    const { calls, images: counted } = await estimate(inputs, { batch: { batchSize: 2 } });
    expect([counted, calls]).toEqual([2_400, 2_400]);
  });

  it('count what frames a pack', async () => {
    const [alone, packed] = [await estimate(images(5)), await estimate(images(5), { batch: {} })];
    expect(packed.inputTokens).toBeGreaterThan(alone.inputTokens ?? Number.NaN);
    expect(packed.outputTokens).toBeGreaterThanOrEqual(alone.outputTokens);
  });

  it('take the expected answer for each image, at most its bound', async () => {
    const output = async (batch: DescribeClientOptions['batch'], expectedOutputTokens: number) =>
      (await estimate(images(5), { batch }, { expectedOutputTokens })).outputTokens;
    expect(await output(false, 50)).toBe(250);
    expect(await output(false, 5_000)).toBe(1_500);
    expect(await output({}, 50)).toBeGreaterThan(250);
    expect(await output({}, 50)).toBeLessThan(250 + 5 * 12);
  });
});

describe('the price of an estimate', () => {
  const asked = async (...models: (string | undefined)[]) => {
    const endpoints = models.map((model, index) => ({ apiKey: `sk-${index}`, model }));
    const { inputTokens, costUsd } = await estimate(images(5), { endpoints, apiKey: undefined });
    return { inputTokens, costUsd };
  };
  const named = async (model: string) => {
    const { inputTokens, costUsd } = await estimate(images(5), { model });
    return { inputTokens, costUsd };
  };

  it('is that of the model that the endpoints ask for in place of the one of the request', async () => {
    expect(await asked('gpt-4o')).toEqual(await named('gpt-4o'));
    expect(await asked('gpt-4o-mini', 'gpt-4o-mini')).toEqual(await named('gpt-4o-mini'));
  });

  it("is that of the request's model where the catalog lacks theirs, or where they ask for several", async () => {
    const own = await named('gpt-4.1-mini');
    expect(await asked('our-deployment')).toEqual(own);
    expect(await asked('gpt-4o', undefined)).toEqual(own);
    expect(await asked('gpt-4o', 'gpt-4o-mini')).toEqual(own);
  });
});

describe('the time of an estimate', () => {
  const inputs = images(61);
  const ms = async (clientOptions: DescribeClientOptions, options: EstimateOptions = {}) =>
    (await estimate(inputs, clientOptions, { callMs: 1_000, ...options })).durationMs;

  it("is that of the client's limits, unless others are given", async () => {
    const limits = { requestsPerMinute: 60 };
    expect(await ms({ limits })).toBe(60_000 + 1_000);
    expect(await ms({ limits }, { requestsPerMinute: undefined })).toBe(60_000 + 1_000);
    expect(await ms({ limits }, { requestsPerMinute: 120 })).toBe(30_000 + 1_000);
    expect(await ms({ limits: { tokensPerMinute: 426 } })).toBe(60 * 60_000 + 1_000);
    expect(await ms({ limits: { tokensPerMinute: 426 } }, { tokensPerMinute: 852 })).toBe(30 * 60_000 + 1_000);
  });

  it('is that of the limits of all organisations together, and of an endpoint of its own limits', async () => {
    const limits = { requestsPerMinute: 60 };
    const ours = { apiKey: 'sk-a', organization: 'org-a' };
    const theirs = { apiKey: 'sk-b', organization: 'org-b' };
    const many = (...endpoints: EndpointOptions[]) => ms({ endpoints, apiKey: undefined, limits });
    expect(await many(ours, theirs)).toBe(30_000 + 1_000);
    expect(await many(ours, { ...ours, apiKey: 'sk-c' })).toBe(60_000 + 1_000);
    expect(await many({ ...ours, limits: { requestsPerMinute: 120 } })).toBe(30_000 + 1_000);
    expect(await many(ours, { ...theirs, limits: { requestsPerMinute: 180 } })).toBe(15_000 + 1_000);
    // Only answers show whether two keys are of one organisation.
    expect(await many({ apiKey: 'sk-a' }, { apiKey: 'sk-b' })).toBe(60_000 + 1_000);
    const endpoints = [{ ...ours, limits }, theirs];
    expect(await ms({ endpoints, apiKey: undefined })).toBe(4_000);
    const narrow = [
      { ...ours, limits: { maxConcurrency: 1 } },
      { ...theirs, limits: { maxConcurrency: 2 } },
    ];
    expect(await ms({ endpoints: narrow, apiKey: undefined })).toBe(21_000);
  });

  it('is that of what the connections, and the batches, do at once', async () => {
    expect(await ms({})).toBe(7_000);
    expect(await ms({ pool: { max: 61 } })).toBe(4_000);
    expect(await ms({ pool: { max: 4 } })).toBe(16_000);
    expect(await ms({ limits: { maxConcurrency: 1 } })).toBe(61_000);
    expect(await ms({ pool: { max: 4 } }, { maxConcurrency: 61 })).toBe(1_000);
    const endpoints = [{ apiKey: 'sk-a' }, { apiKey: 'sk-b' }];
    expect(await ms({ endpoints, apiKey: undefined, limits: { maxConcurrency: 2 } })).toBe(16_000);
    // 13 packs of 5. The 16 images in work at once fill three.
    expect(await ms({ batch: {} })).toBe(5_000);
    expect(await ms({ batch: { maxConcurrentBatches: 2 } })).toBe(7_000);
    expect(await ms({ batch: {} }, { maxConcurrency: 10 })).toBe(2_000);
    expect(await ms({ batch: { maxConcurrentBatches: 13 } }, { maxConcurrency: 13 })).toBe(1_000);
  });
});

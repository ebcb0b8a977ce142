import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestImage,
  describeImageFacts,
  type FakeOpenAI,
  type FaultRule,
  startFakeOpenAI,
} from '../testing/index.ts';
import { imagesOf } from './fake-sender.fixture.ts';
import type { VisionDescription } from './packs/vision-request.ts';
import type { VisionSender } from './packs/vision-target.ts';
import { VisionDescriptionBatchProcessor } from './vision-description-batch-processor.ts';

const IMAGES = 10_000;
const LARGEST_PACK = 16;
/** Every 500th image is refused by the model, every 700th is rejected by the API. */
const REFUSED_EVERY = 500;
const REJECTED_EVERY = 700;
const TRUNCATED_EVERY = 23;

const images = Array.from({ length: IMAGES }, (_, seed) => createTestImage({ seed: seed + 1 }));
const hashOf = (index: number) => /sha256:(\w+)/.exec(describeImageFacts(images[index] ?? Buffer.of()))?.[1] ?? '';
const isRefused = (index: number) => index % REFUSED_EVERY === 3;
const isRejected = (index: number) => index % REJECTED_EVERY === 5;

function faultRules(): FaultRule[] {
  const indexes = images.map((_, index) => index);
  const poison = [
    ...indexes.filter(isRefused).map(
      (index): FaultRule => ({
        when: { imageHash: hashOf(index) },
        fault: { kind: 'refusal' },
      }),
    ),
    ...indexes.filter(isRejected).map(
      (index): FaultRule => ({
        when: { imageHash: hashOf(index) },
        fault: { kind: 'error', code: 'image_parse_error' },
      }),
    ),
  ];
  const items = (['missing', 'duplicated', 'reordered', 'invented'] as const).flatMap((change): FaultRule[] => [
    { when: { probability: 0.05 }, fault: { kind: 'items', change } },
    { when: { probability: 0.01 }, fault: { kind: 'items', change, count: 3 } },
  ]);
  return [
    ...poison,
    { when: { probability: 0.02 }, fault: { kind: 'error', status: 500 } },
    { when: { probability: 0.01 }, fault: { kind: 'reset', at: 'before-answer' } },
    ...items,
  ];
}

/** Sends through a real client and cuts the answer of some packs off, as a model does that hits its limit. */
function truncatingSender(client: OpenAI): VisionSender & { truncated: number } {
  let packs = 0;
  const sender = {
    truncated: 0,
    send: async (request: OpenAI.ChatCompletionCreateParamsNonStreaming, { signal }: { signal: AbortSignal }) => {
      const completion = await client.chat.completions.create(request, { signal, maxRetries: 0 });
      if (imagesOf(request).length > 1) packs += 1;
      const [choice] = completion.choices;
      if (choice === undefined || imagesOf(request).length < 2 || packs % TRUNCATED_EVERY > 0) return completion;
      sender.truncated += 1;
      const content = choice.message.content?.slice(0, -9) ?? null;
      const cut = { ...choice, finish_reason: 'length' as const, message: { ...choice.message, content } };
      return { ...completion, choices: [cut] };
    },
  };
  return sender;
}

let server: FakeOpenAI;

beforeAll(async () => {
  server = await startFakeOpenAI({ record: false, seed: 8 });
});

afterAll(async () => {
  await server.close();
});

describe('10,000 distinct images in packs of 1 to 16 under faults', () => {
  it('gives every image its own description, loses none, and fails the poison items alone', {
    timeout: 120_000,
  }, async () => {
    server.setFaults({ seed: 8, rules: faultRules() });
    const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.baseURL });
    const sender = truncatingSender(client);
    const outcomes = new Map<number, VisionDescription | Error>();
    for (let batchSize = 1; batchSize <= LARGEST_PACK; batchSize += 1) {
      const processor = new VisionDescriptionBatchProcessor(sender, {
        batchSize,
        maxConcurrentBatches: 8,
        maxBatchWaitMs: 5,
        retry: { maxAttempts: 8, initialDelayMs: 1, maxDelayMs: 5 },
      });
      for (let index = batchSize - 1; index < IMAGES; index += LARGEST_PACK) {
        void processor.process({ image: images[index] }).then(
          (result) => note(outcomes, index, result),
          (error: Error) => note(outcomes, index, error),
        );
      }
      await processor.close();
    }
    expect(outcomes.size).toBe(IMAGES);
    const wrong = [...outcomes].filter(([index, outcome]) => !isRight(index, outcome));
    expect(wrong).toEqual([]);
    const { faults } = server.getStats();
    expect(Object.keys(faults).sort()).toEqual(['error', 'items', 'refusal', 'reset']);
    expect(faults['items'] ?? 0).toBeGreaterThan(200);
    expect(sender.truncated).toBeGreaterThan(20);
  });
});

function note(outcomes: Map<number, VisionDescription | Error>, index: number, outcome: VisionDescription | Error) {
  if (outcomes.has(index)) throw new Error(`image ${index} settled twice`);
  outcomes.set(index, outcome);
}

function isRight(index: number, outcome: VisionDescription | Error): boolean {
  const code = outcome instanceof Error ? (outcome as { readonly code?: unknown }).code : undefined;
  if (isRefused(index)) return code === 'DESCRIBE_REFUSED';
  if (isRejected(index)) return code === 'DESCRIBE_IMAGE_UNREADABLE';
  return !(outcome instanceof Error) && outcome.description === describeImageFacts(images[index] ?? Buffer.of());
}

describe('the real client', () => {
  it('shares one answer out exactly, as the server billed it', async () => {
    server.setFaults([]);
    server.reset();
    const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.baseURL });
    const processor = new VisionDescriptionBatchProcessor(client, { batchSize: 7 });
    const results = Promise.all(images.slice(0, 7).map((image) => processor.process({ image })));
    await processor.close();
    const described = await results;
    expect(described.map(({ description }) => description)).toEqual(images.slice(0, 7).map(describeImageFacts));
    expect(described.map(({ packSize }) => packSize)).toEqual(Array.from({ length: 7 }, () => 7));
    expect(described[0]?.requestId).toMatch(/^req_/);
    const total = described.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? 0), 0);
    expect(total).toBe(server.getStats().tokensBilled.total);
    expect(server.getStats().requests).toBe(1);
  });

  it('answers by a schema in a pack', async () => {
    const schema = {
      name: 'facts',
      jsonSchema: {
        type: 'object',
        properties: { text: { type: 'string' }, width: { type: 'integer' } },
        required: ['text', 'width'],
        additionalProperties: false,
      },
    };
    const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.baseURL });
    const processor = new VisionDescriptionBatchProcessor(client, { batchSize: 3 });
    const results = await Promise.all(images.slice(0, 3).map((image) => processor.process({ image, schema })));
    expect(results.map(({ data }) => data)).toEqual(
      images.slice(0, 3).map((image) => ({ text: describeImageFacts(image), width: 8 })),
    );
  });

  it('rejects with the reason of the signal and aborts the request on the wire', async () => {
    server.setFaults([{ fault: { kind: 'hang' } }]);
    server.reset();
    const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.baseURL });
    const processor = new VisionDescriptionBatchProcessor(client, { batchSize: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const results = images.slice(0, 2).map((image) => processor.process({ image }, { signal }).catch((error) => error));
    while (server.getStats().inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort('enough');
    expect(await Promise.all(results)).toEqual(['enough', 'enough']);
    while (server.getStats().aborted === 0) await new Promise((resolve) => setImmediate(resolve));
    await processor.close();
  });
});

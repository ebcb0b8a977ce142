import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MODEL_TABLE } from '../../testing/fake-openai/token-table.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from '../../testing/index.ts';
import { estimateCall } from './call-estimate.ts';
import { modelCatalog } from './model-catalog.ts';
import type { ImageDetail } from './model-entry.ts';

let server: FakeOpenAI;
beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterAll(() => server.close());

const SAMPLES = [
  ['astronaut.png', 512, 512],
  ['chelsea.png', 451, 300],
  ['coffee.png', 600, 400],
  ['rocket.jpg', 640, 427],
  ['hubble_deep_field.jpg', 1000, 872],
] as const;
const SIZES = [
  [1, 1],
  [32, 32],
  [33, 1],
  [513, 512],
  [1000, 3],
  [900, 1600],
  [2049, 700],
] as const;
/**
 * The last model of each pair of rules. The fake server counts with its own table, which does not come from the
 * catalog.
 */
const MODELS = new Map(
  modelCatalog.names().map((name) => {
    const rules = [modelCatalog.find(name)?.sizing, MODEL_TABLE[name]?.images];
    return [JSON.stringify(rules), name] as const;
  }),
);
const PROMPT = 'Describe this image in two sentences.';

async function billed(model: string, url: string, detail: ImageDetail, more: object): Promise<number> {
  const response = await fetch(`${server.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      max_completion_tokens: 300,
      ...more,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: PROMPT },
            { type: 'image_url', image_url: { url, detail } },
          ],
        },
      ],
    }),
  });
  const answer = (await response.json()) as {
    readonly usage?: { readonly prompt_tokens: number };
    readonly error?: unknown;
  };
  if (answer.usage === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.usage.prompt_tokens;
}

const SCHEMA = {
  type: 'object',
  properties: { title: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
  required: ['title', 'tags'],
  additionalProperties: false,
};

it.each([
  ['text', undefined],
  ['JSON of a schema', SCHEMA],
] as const)('estimates input within two hundredths of what the fake server bills for %s', async (_, jsonSchema) => {
  const images = [];
  const response_format = {
    type: 'json_schema',
    json_schema: { name: 'facts', strict: true, schema: jsonSchema },
  };
  const more = jsonSchema === undefined ? {} : { response_format };
  for (const [name, width, height] of SAMPLES) {
    images.push({
      bytes: await readFile(new URL(`../../../examples/images/${name}`, import.meta.url)),
      width,
      height,
    });
  }
  for (const [seed, [width, height]] of SIZES.entries()) {
    images.push({ bytes: Buffer.from(createTestImage({ seed, width, height })), width, height });
  }
  for (const { bytes, width, height } of images) {
    const url = `data:image/png;base64,${bytes.toString('base64')}`;
    for (const model of MODELS.values()) {
      for (const detail of ['low', 'high', 'auto'] as const) {
        const actual = await billed(model, url, detail, more);
        const { inputTokens = Number.NaN } = estimateCall({
          model,
          detail,
          images: [{ width, height }],
          prompt: PROMPT,
          jsonSchema,
          maxOutputTokens: 300,
        });
        expect(
          Math.abs(inputTokens - actual) / actual,
          `${model} ${detail} ${width}x${height}: ${inputTokens}, ${actual}`,
        ).toBeLessThanOrEqual(0.02);
      }
    }
  }
});

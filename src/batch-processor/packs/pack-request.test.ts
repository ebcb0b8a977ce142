import { describe, expect, it } from 'vitest';
import { countFramingTokens, countTextTokens } from '../../testing/fake-openai/token-count.ts';
import { packIds, packOutputTokens, packRequest, singleRequest } from './pack-request.ts';
import type { VisionItem } from './vision-request.ts';
import type { VisionChatRequest } from './vision-target.ts';

const URL = 'https://images.test/1.jpg';
/** A 512² image for gpt-4.1-mini: 256 patches, 1.62 tokens each. */
const IMAGE_TOKENS = 415;

const itemOf = (
  prompt: string,
  { maxOutputTokens = 300, imageTokens = IMAGE_TOKENS, schema }: Partial<VisionItem> = {},
): VisionItem => {
  const request = { imageUrl: URL };
  return {
    request,
    prompt,
    model: 'gpt-4.1-mini',
    detail: 'low',
    maxOutputTokens,
    schema,
    group: '',
    imageTokens,
    imageBytes: URL.length,
    url: async () => URL,
    spent: undefined,
  };
};

/** Tokens that a limit counts for a request: the larger of its prompt, schema included, and its output limit. */
function chargedTokens(request: VisionChatRequest, imageTokens = IMAGE_TOKENS): number {
  let characters = 0;
  let images = 0;
  for (const { content } of request.messages) {
    for (const part of Array.isArray(content) ? content : []) {
      if (part.type === 'text') characters += part.text.length;
      if (part.type === 'image_url') images += 1;
    }
  }
  const { response_format: format } = request;
  if (format?.type === 'json_schema') characters += JSON.stringify(format.json_schema.schema).length;
  const prompt = countTextTokens(characters) + countFramingTokens(request.messages.length) + images * imageTokens;
  return Math.max(prompt, request.max_completion_tokens ?? 0);
}

/** Cost of five images in one pack, relative to five single requests. */
function costRatio(item: VisionItem): number {
  const items = Array.from({ length: 5 }, () => item);
  const urls = items.map(() => URL);
  const pack = chargedTokens(packRequest(items, urls, packIds(5)), item.imageTokens);
  return pack / (5 * chargedTokens(singleRequest(item, URL), item.imageTokens));
}

describe('five images in a pack, where tokens are the limit', () => {
  it('cost no more than singly from a prompt of 70 characters on, and less the longer it is', () => {
    expect(costRatio(itemOf('p'.repeat(70)))).toBeLessThanOrEqual(1);
    expect(costRatio(itemOf('p'.repeat(400)))).toBeLessThan(0.88);
    expect(costRatio(itemOf('p'.repeat(4000)))).toBeLessThan(0.45);
  });

  it('cost a fortieth more with the shortest of prompts', () => {
    expect(costRatio(itemOf('Describe this image.'))).toBeLessThanOrEqual(1.025);
  });

  it('cost the same where answers are larger than images', () => {
    expect(costRatio(itemOf('Describe this image.', { imageTokens: 85 }))).toBe(1);
  });

  it('pay for a schema once', () => {
    const properties = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, { type: 'string' }]));
    const schema = { name: 'facts', jsonSchema: { type: 'object', properties } };
    expect(costRatio(itemOf('Describe this image.', { schema }))).toBeLessThan(0.85);
  });
});

describe('the output limit of a pack', () => {
  const limitOf = (maxOutputTokens: number, imageTokens: number, count = 5) =>
    packOutputTokens({
      count,
      maxOutputTokens: count * maxOutputTokens,
      imageTokens: count * imageTokens,
    });

  it('leaves tokens for ids and JSON as far as the images are charged anyway', () => {
    expect(limitOf(300, 415)).toBe(5 * (300 + 24));
    expect(limitOf(300, 310)).toBe(5 * 300 + 50);
  });

  it('is that of the answers where they are charged, for few fill theirs', () => {
    expect(limitOf(300, 85)).toBe(5 * 300);
  });

  it('leaves short answers the tokens that they need', () => {
    expect(limitOf(20, 10)).toBe(5 * 20 + 55);
    expect(limitOf(20, 85)).toBe(5 * (20 + 24));
  });

  it('is a whole number whatever the estimates are', () => {
    expect(limitOf(300, 310.7)).toBe(5 * 300 + 53);
  });
});

describe('the ids of a pack', () => {
  it.each([2, 5, 16, 256, 257, 1500])('differ in at least two characters, all %i of them', (count) => {
    const ids = packIds(count);
    expect(new Set(ids).size).toBe(count);
    // Any two still differ after one character is removed.
    for (let at = 0; at < (ids[0] ?? '').length; at += 1) {
      expect(new Set(ids.map((id) => id.slice(0, at) + id.slice(at + 1))).size).toBe(count);
    }
  });

  it('are not those of the pack before', () => {
    const packs = Array.from({ length: 200 }, () => packIds(5).join());
    expect(new Set(packs).size).toBe(200);
  });
});

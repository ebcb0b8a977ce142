import { randomInt } from 'node:crypto';
import type { ChatCompletionContentPart } from 'openai/resources/chat/completions';
import { packSchema } from './pack-schema.ts';
import type { VisionItem, VisionParameters, VisionSchema } from './vision-request.ts';
import type { VisionChatRequest } from './vision-target.ts';

/** Digits and letters that are not mistaken for one another (Crockford's base 32). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Most ids with two free characters: a quarter of all such ids, so that drawing them at random ends soon. */
const MAX_SHORT_IDS = ALPHABET.length ** 2 / 4;
/** Tokens of an item's id and of the JSON around its answer: the least, and the usual number with some escapes. */
const LEAST_ITEM_TOKENS = 12;
const ROOMY_ITEM_TOKENS = 24;
/** Share of its limit that an answer leaves unused on average, as a careful estimate. */
const UNUSED_RATIO = 0.05;

type RequestParts = Pick<VisionItem, 'model' | keyof VisionParameters>;

/** The plain request for one image. */
export function singleRequest(
  item: Pick<VisionItem, 'prompt' | 'detail' | 'maxOutputTokens' | 'schema'> & RequestParts,
  url: string,
): VisionChatRequest {
  const { prompt, detail, maxOutputTokens, schema } = item;
  return requestOf(item, prompt, [{ type: 'image_url', image_url: { url, detail } }], maxOutputTokens, schema);
}

/** One request for several images of one group, each with an id right before it. */
export function packRequest(
  items: readonly VisionItem[],
  urls: readonly string[],
  ids: readonly string[],
): VisionChatRequest {
  const [first] = items;
  if (first === undefined) throw new RangeError('a pack has at least one image');
  const { prompt, detail, schema } = first;
  const images = urls.flatMap((url, index): ChatCompletionContentPart[] => [
    { type: 'text', text: `id ${ids[index] ?? ''}` },
    { type: 'image_url', image_url: { url, detail } },
  ]);
  const answer = { name: schema?.name ?? 'images', jsonSchema: packSchema(schema?.jsonSchema) };
  return requestOf(first, packPrompt(prompt), images, packOutputTokens(totalsOf(items)), answer);
}

/** Fields that are not given are left out, so that the API's own defaults apply. */
function requestOf(
  { model, system, temperature, reasoningEffort, extraBody }: RequestParts,
  prompt: string,
  images: readonly ChatCompletionContentPart[],
  maxOutputTokens: number,
  schema: Pick<VisionSchema, 'name' | 'jsonSchema'> | undefined,
): VisionChatRequest {
  return {
    ...extraBody,
    ...(temperature === undefined ? {} : { temperature }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
    model,
    max_completion_tokens: maxOutputTokens,
    store: false,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: [{ type: 'text', text: prompt }, ...images] },
    ],
    ...(schema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: schema.name, schema: { ...schema.jsonSchema }, strict: true },
          },
        }),
  };
}

/** The prompt of a pack. Each word of it is paid for, and counts against token limits. */
export const packPrompt = (prompt: string): string =>
  `${prompt}\n\nDo so for each image alone, as if it were the only one: one item each, under the id before it.`;

/** Totals of the images of a pack. */
export interface PackTotals {
  readonly count: number;
  readonly imageTokens: number;
  readonly maxOutputTokens: number;
}

/**
 * Output limit of a pack. A rate limit counts the larger of prompt and output limit. So ids and JSON cost nothing while
 * the prompt is larger. Beyond that, answers that stay below their own limits make up for a part of them.
 */
export function packOutputTokens({ count, imageTokens, maxOutputTokens }: PackTotals): number {
  const free = Math.min(count * ROOMY_ITEM_TOKENS, Math.floor(imageTokens) - maxOutputTokens);
  const needed = Math.ceil(count * LEAST_ITEM_TOKENS - maxOutputTokens * UNUSED_RATIO);
  return maxOutputTokens + Math.max(0, free, needed);
}

function totalsOf(items: readonly VisionItem[]): PackTotals {
  let imageTokens = 0;
  let maxOutputTokens = 0;
  for (const item of items) {
    imageTokens += item.imageTokens;
    maxOutputTokens += item.maxOutputTokens;
  }
  return { count: items.length, imageTokens, maxOutputTokens };
}

/**
 * Random ids. Any two differ in at least two characters, so that one wrong character never gives another id. The last
 * character is a check character, by a rule that is random for each pack.
 */
export function packIds(count: number): string[] {
  const free = count <= MAX_SHORT_IDS ? 2 : 3;
  const offset = randomInt(ALPHABET.length);
  const ids = new Set<string>();
  while (ids.size < count) {
    const digits = Array.from({ length: free }, () => randomInt(ALPHABET.length));
    const check = digits.reduce((sum, digit) => sum + digit, offset) % ALPHABET.length;
    ids.add([...digits, check].map((digit) => ALPHABET.charAt(digit)).join(''));
  }
  return [...ids];
}

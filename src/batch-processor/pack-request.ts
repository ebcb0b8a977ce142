import { randomInt } from 'node:crypto';
import { packSchema } from './pack-schema.ts';
import type { VisionItem } from './vision-request.ts';
import type { VisionChatRequest } from './vision-target.ts';

/** Digits and letters that are not mistaken for one another (Crockford's base 32). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_LENGTH = 6;
/** Tokens of an item's id and JSON around its answer, with room to spare. */
const ITEM_OVERHEAD_TOKENS = 24;

/** The plain request for one image. */
export function singleRequest(
  item: Pick<VisionItem, 'prompt' | 'model' | 'detail' | 'maxOutputTokens' | 'schema'>,
  url: string,
): VisionChatRequest {
  const { prompt, model, detail, maxOutputTokens, schema } = item;
  return {
    model,
    max_completion_tokens: maxOutputTokens,
    store: false,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: prompt },
          { type: 'image_url', image_url: { url, detail } },
        ],
      },
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

/** One request for several images of one group, each with an id right before it. */
export function packRequest(
  items: readonly VisionItem[],
  urls: readonly string[],
  ids: readonly string[],
): VisionChatRequest {
  const [first] = items;
  if (first === undefined) throw new RangeError('a pack has at least one image');
  const { prompt, model, detail, maxOutputTokens, schema } = first;
  const images = urls.flatMap((url, index) => [
    { type: 'text' as const, text: `Image id: ${ids[index] ?? ''}` },
    { type: 'image_url' as const, image_url: { url, detail } },
  ]);
  return {
    model,
    max_completion_tokens: items.length * (maxOutputTokens + ITEM_OVERHEAD_TOKENS),
    store: false,
    messages: [
      { role: 'user', content: [{ type: 'text', text: instruction(prompt, items.length) }, ...images] },
    ],
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: schema?.name ?? 'image_descriptions',
        schema: { ...packSchema(schema?.jsonSchema) },
        strict: true,
      },
    },
  };
}

/** So many random ids, all different, so that an id can't be guessed from its neighbours. */
export function packIds(count: number): string[] {
  const ids = new Set<string>();
  while (ids.size < count) {
    ids.add(Array.from({ length: ID_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join(''));
  }
  return [...ids];
}

const instruction = (prompt: string, count: number): string =>
  `${prompt}

Do this for each of the following ${count} images alone, as if it were the only one; they have nothing to do with one another. \
Before each image stands its id. Answer with exactly one item an image, under that id.`;

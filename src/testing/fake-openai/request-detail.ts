import { invalidRequest } from './api-error.ts';
import type { FakeModel } from './token-table.ts';
import type { PromptPart } from './vision-request.ts';

/** Source: openai-node 7.57, `ImageURL.detail` and `ImageDetail`. */
export const DETAILS = ['auto', 'low', 'high', 'original'] as const;

/** Throws the API's 400 for `original` on a model that doesn't take it. */
export function checkDetail(part: PromptPart, name: string, { images }: FakeModel): void {
  if (part.type !== 'image' || part.detail !== 'original') return;
  if (images.by === 'patches' && images.original !== undefined) return;
  throw invalidRequest(
    `Invalid value: 'original'. The model ${name} does not support it.`,
    part.param.replace(/(url|image_url)$/, 'detail'),
    'invalid_value',
  );
}

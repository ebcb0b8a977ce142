import { shortTokenOf } from '../../internal/upstream/server-reason.ts';
import type { VisionChatCompletion } from './vision-target.ts';

/** The API's id of a request; the client puts it on the answer. What is no short word is none. */
export function requestIdOf(completion: VisionChatCompletion): string | undefined {
  const { _request_id: id } = completion as { readonly _request_id?: unknown };
  return shortTokenOf(id);
}

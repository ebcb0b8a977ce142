import type { VisionChatCompletion } from './vision-target.ts';

/** The API's id of a request; the client puts it on the answer. */
export function requestIdOf(completion: VisionChatCompletion): string | undefined {
  const { _request_id: id } = completion as { readonly _request_id?: unknown };
  return typeof id === 'string' ? id : undefined;
}

import type { Answer, FakeUsage } from './answer.ts';
import type { ApiErrorBody } from './api-error.ts';
import { splitForStream, sseEvent } from './sse.ts';
import type { VisionRequest } from './vision-request.ts';

/** The parts that tell one answer from another. */
export interface AnswerIdentity {
  /** Digits that are the same for the same request number. */
  readonly id: string;
  readonly createdAtSeconds: number;
}

/** The `chat.completion` object. */
export function chatCompletion(request: VisionRequest, answer: Answer, identity: AnswerIdentity): object {
  const { text, refusal, finishReason } = answer;
  return {
    ...envelope(request, identity, 'chat.completion'),
    choices: Array.from({ length: request.choices }, (_, index) => ({
      index,
      message: {
        role: 'assistant',
        content: refusal === undefined ? text : null,
        refusal: refusal ?? null,
        annotations: [],
      },
      logprobs: null,
      finish_reason: finishReason,
    })),
    usage: chatUsage(answer.usage),
  };
}

/** The chunks of a stream, each a server-sent event, and `[DONE]`. */
export function* chatStream(request: VisionRequest, answer: Answer, identity: AnswerIdentity): Generator<string> {
  const { text, refusal, finishReason } = answer;
  const head = envelope(request, identity, 'chat.completion.chunk');
  const usage = request.includeUsage ? { usage: null } : {};
  const chunk = (delta: object, index: number, finish: string | null) =>
    sseEvent({ ...head, choices: [{ index, delta, logprobs: null, finish_reason: finish }], ...usage });
  const field = refusal === undefined ? 'content' : 'refusal';
  for (let index = 0; index < request.choices; index += 1) {
    yield chunk({ role: 'assistant', content: refusal === undefined ? '' : null, refusal: null }, index, null);
    for (const piece of splitForStream(refusal ?? text)) yield chunk({ [field]: piece }, index, null);
    yield chunk({}, index, finishReason);
  }
  if (request.includeUsage) yield sseEvent({ ...head, choices: [], usage: chatUsage(answer.usage) });
  yield 'data: [DONE]\n\n';
}

/** An error in the middle of a stream: an event with the body that a failed answer would have. */
export const chatErrorEvent = (error: ApiErrorBody): string => sseEvent({ error });

const envelope = ({ modelName }: VisionRequest, { id, createdAtSeconds }: AnswerIdentity, object: string) => ({
  id: `chatcmpl-${id}`,
  object,
  created: createdAtSeconds,
  model: modelName,
  service_tier: 'default',
  system_fingerprint: 'fp_fake',
});

const chatUsage = ({ promptTokens, cachedTokens, completionTokens }: FakeUsage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

import type { Answer, FakeUsage } from './answer.ts';
import type { ApiErrorBody } from './api-error.ts';
import type { Quirk } from './fault-plan.ts';
import { obfuscation, splitForStream, sseEvent } from './sse.ts';
import type { VisionRequest } from './vision-request.ts';

/** The parts that tell one answer from another. */
export interface AnswerIdentity {
  /** Digits that are the same for the same request number. */
  readonly id: string;
  readonly createdAtSeconds: number;
}

/** An answer, and how it is to be written. */
export interface Rendering {
  readonly request: VisionRequest;
  readonly answer: Answer;
  readonly identity: AnswerIdentity;
  readonly quirk: Omit<Quirk, 'kind'>;
}

/** The `chat.completion` object. */
export function chatCompletion(rendering: Rendering): object {
  const { request, answer, quirk } = rendering;
  const { text, refusal, finishReason } = answer;
  return {
    ...envelope(rendering, 'chat.completion'),
    choices: Array.from({ length: request.choices }, (_, index) => ({
      index,
      message: {
        role: 'assistant',
        content: refusal === undefined ? text : null,
        refusal: refusal ?? null,
        annotations: [],
        ...(quirk.unknown === true ? { fake_notes: [{ type: 'fake_note' }] } : {}),
      },
      logprobs: null,
      finish_reason: finishReason,
    })),
    ...(quirk.usage === false ? {} : { usage: chatUsage(answer.usage) }),
    ...(quirk.unknown === true ? { prompt_filter_results: [] } : {}),
  };
}

/** The chunks of a stream, each a server-sent event, and `[DONE]`. */
export function* chatStream(rendering: Rendering): Generator<string> {
  const { request, answer, quirk } = rendering;
  const { text, refusal, finishReason, unanswered } = answer;
  const head = envelope(rendering, 'chat.completion.chunk');
  const tellsUsage = request.includeUsage && quirk.usage !== false;
  const usage = tellsUsage ? { usage: null } : {};
  const chunk = (delta: object, index: number, finish: string | null, more: object = {}) =>
    sseEvent({ ...head, choices: [{ index, delta, logprobs: null, finish_reason: finish }], ...usage, ...more });
  const field = refusal === undefined ? 'content' : 'refusal';
  // As Azure begins its streams.
  if (quirk.unknown === true) yield sseEvent({ ...head, choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
  const pieces = splitForStream(refusal ?? text);
  const isFailed = unanswered?.status === 'failed';
  for (let index = 0; index < request.choices; index += 1) {
    yield chunk({ role: 'assistant', content: refusal === undefined ? '' : null, refusal: null }, index, null);
    if (quirk.unknown === true) yield chunk({ fake_notes: [{ type: 'fake_note' }] }, index, null);
    for (const piece of isFailed ? pieces.slice(0, Math.floor(pieces.length / 2)) : pieces) {
      yield chunk({ [field]: piece }, index, null, obfuscation(piece, request.obfuscate));
    }
    if (isFailed) {
      yield chatErrorEvent(unanswered.error);
      return;
    }
    yield chunk({}, index, finishReason);
  }
  if (tellsUsage) yield sseEvent({ ...head, choices: [], usage: chatUsage(answer.usage) });
  if (quirk.done !== false) yield 'data: [DONE]\n\n';
}

/** An error in the middle of a stream: an event with the body that a failed answer would have. */
export const chatErrorEvent = (error: ApiErrorBody): string => sseEvent({ error });

const envelope = ({ request, identity }: Rendering, object: string) => ({
  id: `chatcmpl-${identity.id}`,
  object,
  created: identity.createdAtSeconds,
  model: request.modelName,
  system_fingerprint: 'fp_fake',
  ...request.echo,
});

const chatUsage = (usage: FakeUsage) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  prompt_tokens_details: {
    cached_tokens: usage.cachedTokens,
    ...(usage.cacheWriteTokens > 0 ? { cache_write_tokens: usage.cacheWriteTokens } : {}),
    audio_tokens: 0,
  },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoningTokens,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

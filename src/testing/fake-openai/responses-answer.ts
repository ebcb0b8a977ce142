import type { Answer, FakeUsage } from './answer.ts';
import type { ApiErrorBody } from './api-error.ts';
import type { AnswerIdentity } from './chat-answer.ts';
import { splitForStream, sseEvent } from './sse.ts';
import type { VisionRequest } from './vision-request.ts';

/** The finished `response` object. */
export function responseObject(
  request: VisionRequest,
  answer: Answer,
  identity: AnswerIdentity,
  store: boolean,
): object {
  const { finishReason } = answer;
  const reason = finishReason === 'length' ? 'max_output_tokens' : 'content_filter';
  return {
    ...unfinished(request, identity, store),
    status: finishReason === 'stop' ? 'completed' : 'incomplete',
    incomplete_details: finishReason === 'stop' ? null : { reason },
    output: [message(answer, identity)],
    usage: responseUsage(answer.usage),
  };
}

/** The events of a stream, numbered from 0. */
export function* responseStream(
  request: VisionRequest,
  answer: Answer,
  identity: AnswerIdentity,
  store: boolean,
): Generator<string> {
  let sequence = 0;
  const event = (type: string, data: object) => {
    const text = sseEvent({ type, sequence_number: sequence, ...data }, type);
    sequence += 1;
    return text;
  };
  const at = { item_id: `msg_${identity.id}`, output_index: 0, content_index: 0 };
  const { text, refusal } = answer;
  const open = unfinished(request, identity, store);
  yield event('response.created', { response: open });
  yield event('response.in_progress', { response: open });
  const item = { ...message(answer, identity), status: 'in_progress', content: [] };
  yield event('response.output_item.added', { output_index: 0, item });
  yield event('response.content_part.added', {
    ...at,
    part: content('', refusal === undefined ? undefined : ''),
  });
  if (refusal === undefined) {
    for (const delta of splitForStream(text)) {
      yield event('response.output_text.delta', { ...at, delta, logprobs: [] });
    }
    yield event('response.output_text.done', { ...at, text, logprobs: [] });
  } else {
    for (const delta of splitForStream(refusal)) yield event('response.refusal.delta', { ...at, delta });
    yield event('response.refusal.done', { ...at, refusal });
  }
  yield event('response.content_part.done', { ...at, part: content(text, refusal) });
  yield event('response.output_item.done', { output_index: 0, item: message(answer, identity) });
  const last = answer.finishReason === 'stop' ? 'response.completed' : 'response.incomplete';
  yield event(last, { response: responseObject(request, answer, identity, store) });
}

/** An error in the middle of a stream. */
export const responseErrorEvent = ({ code, message, param }: ApiErrorBody): string =>
  sseEvent({ type: 'error', sequence_number: 0, code, message, param }, 'error');

const unfinished = (request: VisionRequest, { id, createdAtSeconds }: AnswerIdentity, store: boolean) => ({
  id: `resp_${id}`,
  object: 'response',
  created_at: createdAtSeconds,
  status: 'in_progress',
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: request.maxOutputTokens ?? null,
  model: request.modelName,
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: 'default',
  store,
  temperature: 1,
  text: { format: { type: request.form.type } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  usage: null,
  user: null,
  metadata: {},
});

const message = ({ text, refusal, finishReason }: Answer, { id }: AnswerIdentity) => ({
  id: `msg_${id}`,
  type: 'message',
  status: finishReason === 'stop' ? 'completed' : 'incomplete',
  role: 'assistant',
  content: [content(text, refusal)],
});

const content = (text: string, refusal: string | undefined) =>
  refusal === undefined ? { type: 'output_text', annotations: [], logprobs: [], text } : { type: 'refusal', refusal };

const responseUsage = ({ promptTokens, cachedTokens, completionTokens }: FakeUsage) => ({
  input_tokens: promptTokens,
  input_tokens_details: { cached_tokens: cachedTokens },
  output_tokens: completionTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: promptTokens + completionTokens,
});

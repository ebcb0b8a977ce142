import type { Answer, FakeUsage } from './answer.ts';
import type { ApiErrorBody } from './api-error.ts';
import type { Rendering } from './chat-answer.ts';
import { responseItems } from './responses-items.ts';
import { sseEvent } from './sse.ts';

/** The `response` object as it ends. */
export function responseObject(rendering: Rendering): object {
  const { answer, quirk } = rendering;
  const { finishReason, unanswered } = answer;
  if (unanswered !== undefined) {
    const { status, error } = unanswered;
    const { code, message } = error;
    return { ...unfinished(rendering), status, error: status === 'failed' ? { code, message } : null };
  }
  const isComplete = finishReason === 'stop';
  return {
    ...unfinished(rendering),
    status: isComplete ? 'completed' : 'incomplete',
    completed_at: isComplete ? rendering.identity.createdAtSeconds : null,
    incomplete_details: isComplete ? null : { reason: incompleteReason(finishReason) },
    output: responseItems(rendering).map(({ item }) => item),
    usage: quirk.usage === false ? null : responseUsage(answer.usage),
    ...(quirk.unknown === true ? { fake_notes: [] } : {}),
  };
}

/** The events of a stream, numbered from 0. It has no `[DONE]`. */
export function* responseStream(rendering: Rendering): Generator<string> {
  const { request, answer, quirk } = rendering;
  let sequence = 0;
  const event = (type: string, data: object) => {
    const text = sseEvent({ type, sequence_number: sequence, ...data }, type);
    sequence += 1;
    return text;
  };
  const response = unfinished(rendering);
  yield event('response.created', { response });
  if (request.echo['background'] === true)
    yield event('response.queued', { response: { ...response, status: 'queued' } });
  yield event('response.in_progress', { response });
  if (quirk.unknown === true) yield event('response.fake_note.added', { note: { type: 'fake_note' } });
  for (const [output_index, { opened, item, deltas }] of responseItems(rendering).entries()) {
    yield event('response.output_item.added', { output_index, item: opened });
    const isBroken = answer.unanswered !== undefined && item.type === 'message';
    const steps = isBroken ? deltas.slice(0, Math.floor(deltas.length / 2)) : deltas;
    for (const { type, ...data } of steps) {
      yield event(type, { item_id: item.id, output_index, ...data });
    }
    if (!isBroken) yield event('response.output_item.done', { output_index, item });
  }
  const last = lastEvent(answer);
  if (last !== undefined) yield event(last, { response: responseObject(rendering) });
}

function lastEvent({ unanswered, finishReason }: Answer): string | undefined {
  if (unanswered !== undefined) return unanswered.status === 'failed' ? 'response.failed' : undefined;
  return finishReason === 'stop' ? 'response.completed' : 'response.incomplete';
}

/** An error in the middle of a stream, with the number of its event. */
export const responseErrorEvent = ({ code, message, param }: ApiErrorBody, sequence: number): string =>
  sseEvent({ type: 'error', sequence_number: sequence, code, message, param }, 'error');

const incompleteReason = (finishReason: Answer['finishReason']) =>
  finishReason === 'length' ? 'max_output_tokens' : finishReason;

const unfinished = ({ request, identity }: Rendering) => ({
  id: `resp_${identity.id}`,
  object: 'response',
  created_at: identity.createdAtSeconds,
  status: 'in_progress',
  completed_at: null,
  error: null,
  incomplete_details: null,
  max_tool_calls: null,
  model: request.modelName,
  output: [],
  previous_response_id: null,
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  usage: null,
  ...request.echo,
});

const responseUsage = (usage: FakeUsage) => ({
  input_tokens: usage.promptTokens,
  input_tokens_details: {
    cached_tokens: usage.cachedTokens,
    ...(usage.cacheWriteTokens > 0 ? { cache_write_tokens: usage.cacheWriteTokens } : {}),
  },
  output_tokens: usage.completionTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  total_tokens: usage.promptTokens + usage.completionTokens,
});

import type { ChatCompletion } from 'openai/resources/chat/completions';

/** A part of a message: text, a refusal, or of a type that is not known. */
interface OutputPart {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly refusal?: unknown;
}

interface OutputItem {
  readonly type?: unknown;
  /** `commentary` is a message on the way to the answer. */
  readonly phase?: unknown;
  /** Some servers send the text alone. */
  readonly content?: readonly (OutputPart | null)[] | string | null;
}

interface Usage {
  readonly input_tokens?: unknown;
  readonly input_tokens_details?: unknown;
  readonly output_tokens?: unknown;
  readonly output_tokens_details?: unknown;
  readonly total_tokens?: unknown;
}

/** The fields of a response that are read, each of which a server may leave out. */
export interface ResponseObject {
  readonly object?: unknown;
  readonly id?: unknown;
  readonly model?: unknown;
  readonly status?: unknown;
  readonly service_tier?: unknown;
  readonly error?: unknown;
  readonly incomplete_details?: { readonly reason?: unknown } | null;
  readonly output?: readonly (OutputItem | null)[];
  readonly usage?: Usage | null;
}

/** What streamed events said, over the object at their end. */
export interface StreamedParts {
  readonly text?: string | undefined;
  readonly refusal?: string | undefined;
  readonly error?: unknown;
}

export const isResponse = (body: unknown): body is ResponseObject => {
  const { object, output } = (body ?? {}) as ResponseObject;
  return object === 'response' || Array.isArray(output);
};

/**
 * The chat completion that says the same as a response. Any other body, such as an error or a gateway's chat
 * completion, is given as it is.
 */
export const completionOfResponse = (body: unknown): unknown => (isResponse(body) ? neutralCompletion(body) : body);

export function neutralCompletion(response: ResponseObject, streamed?: StreamedParts): ChatCompletion {
  const { id, model, service_tier, usage, status } = response;
  const { text, refusal } = contentOf(response.output);
  const error = streamed?.error ?? errorOf(response);
  const hasFailed = streamed?.error !== undefined || status === 'failed';
  const message = { role: 'assistant', content: streamed?.text ?? text, refusal: streamed?.refusal ?? refusal };
  const choice: object = { index: 0, finish_reason: hasFailed ? 'error' : finishReasonOf(response), message };
  const choices = [error === undefined ? choice : { ...choice, error }];
  const completion = { id, model, service_tier, usage: usage ? neutralUsage(usage) : undefined, choices };
  return completion as unknown as ChatCompletion;
}

/** The text of the answer, and its refusal. Reasoning, commentary and unknown items are skipped. */
export function contentOf(output: ResponseObject['output']): { readonly text: string; readonly refusal: string } {
  let text = '';
  let refusal = '';
  for (const item of Array.isArray(output) ? (output as readonly (OutputItem | null)[]) : []) {
    if (item?.type !== 'message' || item.phase === 'commentary') continue;
    const { content } = item;
    if (typeof content === 'string') text += content;
    if (!Array.isArray(content)) continue;
    for (const part of content as readonly (OutputPart | null)[]) {
      const isText = part?.type === 'output_text' || part?.type === 'text';
      if (isText && typeof part.text === 'string') text += part.text;
      else if (typeof part?.refusal === 'string') refusal += part.refusal;
    }
  }
  return { text, refusal };
}

/** A response may fail without a word. */
const errorOf = ({ status, error }: ResponseObject): unknown =>
  error ?? (status === 'failed' ? { code: 'server_error', message: 'The response failed.' } : undefined);

/** Finish reasons of chat by status; another status is its own reason. */
const FINISH_REASONS: ReadonlyMap<unknown, string> = new Map([
  ['completed', 'stop'],
  ['in_progress', 'incomplete'],
  ['queued', 'incomplete'],
]);

function finishReasonOf({ status, incomplete_details: details }: ResponseObject): unknown {
  if (status !== 'incomplete') return FINISH_REASONS.get(status) ?? status;
  const reason = details?.reason;
  return reason === 'max_output_tokens' ? 'length' : (reason ?? status);
}

const neutralUsage = (usage: Usage) => ({
  prompt_tokens: usage.input_tokens,
  prompt_tokens_details: usage.input_tokens_details,
  completion_tokens: usage.output_tokens,
  completion_tokens_details: usage.output_tokens_details,
  total_tokens: usage.total_tokens,
});

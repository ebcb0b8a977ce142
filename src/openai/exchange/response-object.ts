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
 * The chat completion that says the same as a response. Any other body, such as an error or a gateway's chat completion,
 * is given as it is.
 */
export const completionOfResponse = (body: unknown): unknown => (isResponse(body) ? neutralCompletion(body) : body);

export function neutralCompletion(response: ResponseObject, streamed: StreamedParts = {}): ChatCompletion {
  const { id, model, service_tier, usage, status, output } = response;
  const { text = textOf(output), refusal = refusalOf(output), error = errorOf(response) } = streamed;
  const hasFailed = streamed.error !== undefined || status === 'failed';
  const choice = {
    index: 0,
    finish_reason: hasFailed ? 'error' : finishReasonOf(response),
    ...(error === undefined ? {} : { error }),
    message: { role: 'assistant', content: text, refusal },
  };
  const completion = { id, model, service_tier, usage: usage ? neutralUsage(usage) : undefined, choices: [choice] };
  return completion as unknown as ChatCompletion;
}

/** The text of the answer. Reasoning, commentary and unknown items are skipped. */
export const textOf = (output: ResponseObject['output']): string =>
  partsOf(output)
    .map(({ type, text }) => (isTextType(type) && typeof text === 'string' ? text : ''))
    .join('');

const isTextType = (type: unknown): boolean => type === 'output_text' || type === 'text';

const refusalOf = (output: ResponseObject['output']): string =>
  partsOf(output)
    .map(({ refusal }) => (typeof refusal === 'string' ? refusal : ''))
    .join('');

function partsOf(output: ResponseObject['output']): readonly OutputPart[] {
  if (!Array.isArray(output)) return [];
  return (output as readonly (OutputItem | null)[]).flatMap((item) => {
    if (item?.type !== 'message' || item.phase === 'commentary') return [];
    const { content } = item;
    if (typeof content === 'string') return { type: 'text', text: content };
    return Array.isArray(content) ? content.filter((part) => part != null) : [];
  });
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

import { type CutAnswer, keepCutAnswer } from '../../errors/cut-answer.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import type { VisionUsage } from '../../errors/vision-usage.ts';
import { shortTokenOf } from '../../internal/upstream/server-reason.ts';
import type { VisionChatCompletion } from './vision-target.ts';
import { cacheParts } from './vision-usage.ts';

/** Finish reasons of an answer that reached its output limit, by server. */
const AT_BOUND: ReadonlySet<unknown> = new Set(['length', 'max_tokens', 'MAX_TOKENS', 'model_length']);
/**
 * Finish reasons of an answer that a filter ended: OpenAI, Gemini (`content_filter: PROHIBITED_CONTENT`), Anthropic.
 */
const FILTERED = /^(?:content_?filter|refusal)|safety|prohibited|blocklist/i;
const isFiltered = (reason: unknown): boolean => typeof reason === 'string' && FILTERED.test(reason);
/**
 * Finish reasons of an answer that was broken off: OpenRouter's for an error, and those of a response that did not end
 * or is incomplete for a reason of its own.
 */
const BROKEN_OFF: ReadonlySet<unknown> = new Set(['error', 'cancelled', 'incomplete', 'max_messages', 'steered']);
/** Finish reasons of an answer that the model completed. */
const THROUGH: ReadonlySet<unknown> = new Set(['stop', 'end_turn', 'eos', 'eos_token', 'stop_sequence', 'STOP']);

/** A longer text is not the name of a model. */
const MAX_MODEL_LENGTH = 256;

/** Everything that an answer reports beside its text. */
export interface AnswerFacts {
  /** The model as the API names it; the requested model where the API names none. */
  readonly model: string;
  /** The API's id of the request; the client puts it on the answer. */
  readonly requestId: string | undefined;
  /** Tokens that were billed; undefined where the server reports none, or impossible numbers. */
  readonly usage: VisionUsage | undefined;
}

/** Reads everything of an answer but its text. Never throws. `requestId` may be known already. */
export function answerFacts(
  completion: VisionChatCompletion | null | undefined,
  askedModel: string,
  requestId = requestIdOf(completion),
): AnswerFacts {
  const model: unknown = completion?.model;
  const isName = typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_LENGTH;
  return { model: isName ? model : askedModel, requestId, usage: usageOf(completion) };
}

/** The id of the request; undefined where it is not a short word. */
export const requestIdOf = (completion: VisionChatCompletion | null | undefined): string | undefined =>
  shortTokenOf((completion as { readonly _request_id?: unknown } | null | undefined)?._request_id);

/** `cache_write_tokens` is reported from gpt-5.6 on; older types of the openai package lack it. */
interface PromptDetails {
  readonly cached_tokens?: unknown;
  readonly cache_write_tokens?: unknown;
}

/** A number of tokens between 0 and `most`; 0 for one without sense. */
const within = (tokens: unknown, most: number): number =>
  Number.isSafeInteger(tokens) ? Math.max(0, Math.min(Number(tokens), most)) : 0;

/** Tokens that an answer was billed; undefined where it reports none, or impossible numbers. */
export function usageOf(completion: VisionChatCompletion | null | undefined): VisionUsage | undefined {
  const usage = completion?.usage;
  if (usage == null) return undefined;
  const counts = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens];
  const [promptTokens, completionTokens, total] = counts.map((count) =>
    Number.isSafeInteger(count) && count >= 0 ? count : undefined,
  );
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  // A compatible server may report a total below its parts, or more cached tokens than prompt tokens.
  const totalTokens = Math.max(total ?? 0, promptTokens + completionTokens);
  const { cached_tokens: cached, cache_write_tokens: written }: PromptDetails = usage.prompt_tokens_details ?? {};
  const cachedTokens = within(cached, promptTokens);
  return {
    promptTokens,
    ...cacheParts(cachedTokens, within(written, promptTokens - cachedTokens)),
    completionTokens,
    totalTokens,
  };
}

/**
 * The text of an answer, whether a server sends a string or a list of parts. Thoughts before the text are left out.
 * @throws `DESCRIBE_REFUSED`, `DESCRIBE_OUTPUT_TRUNCATED` or `DESCRIBE_RESPONSE_INVALID` when it has none. An answer
 * without any text is retryable: another one may have some.
 */
export function answerText(completion: VisionChatCompletion): string {
  const choice = completion?.choices?.[0];
  if (choice?.message == null) {
    if (isFiltered(choice?.finish_reason) || hasFilteredPrompt(completion)) throw refusedAnswer(completion);
    throw invalidAnswer(completion, 'the answer holds no message');
  }
  const { content, refusal } = choice.message as { readonly content?: unknown; readonly refusal?: unknown };
  // Servers use different words for the reason.
  const reason: unknown = choice.finish_reason;
  const text = withoutThoughts(textOfContent(content));
  if (isText(refusal) || isFiltered(reason) || (text === '' && hasRefusal(content))) {
    throw refusedAnswer(completion);
  }
  if (BROKEN_OFF.has(reason)) throw invalidAnswer(completion, `the answer was broken off (${reason})`);
  const isEmpty = text.trim() === '';
  if (AT_BOUND.has(reason)) {
    const what = `the answer reached maxOutputTokens${isEmpty ? ' before any text' : ''}; raise it`;
    throw answerError('DESCRIBE_OUTPUT_TRUNCATED', completion, what, isEmpty);
  }
  if (!isEmpty) return text;
  if (!THROUGH.has(reason)) throw invalidAnswer(completion, 'the answer holds no text');
  throw answerError('DESCRIBE_REFUSED', completion, 'the model ended its answer without any text', true);
}

/** Keeps the text of an answer that was cut off beside its error, unless it has none. */
export function keepText(
  error: unknown,
  completion: VisionChatCompletion,
  facts: Omit<CutAnswer, 'description'>,
): void {
  if (!DescribeError.is(error, 'DESCRIBE_OUTPUT_TRUNCATED') || error.retryable) return;
  const description = withoutThoughts(textOfContent(completion.choices[0]?.message.content));
  keepCutAnswer(error, { ...facts, description });
}

const answerError = (
  code: 'DESCRIBE_REFUSED' | 'DESCRIBE_OUTPUT_TRUNCATED' | 'DESCRIBE_RESPONSE_INVALID',
  completion: VisionChatCompletion,
  what: string,
  retryable: boolean,
): UpstreamError => new UpstreamError(code, what, { status: 200, requestId: requestIdOf(completion), retryable });

const refusedAnswer = (completion: VisionChatCompletion): UpstreamError =>
  answerError('DESCRIBE_REFUSED', completion, 'the model refused to describe the image', false);

/** Azure reports for each kind of content whether its filter stopped the prompt. */
function hasFilteredPrompt(completion: VisionChatCompletion): boolean {
  const { prompt_filter_results: results } = (completion ?? {}) as {
    readonly prompt_filter_results?: unknown;
  };
  if (!Array.isArray(results)) return false;
  return results.some((result: { readonly content_filter_results?: unknown } | null) =>
    Object.values(result?.content_filter_results ?? {}).some(
      (kind: { readonly filtered?: unknown } | null) => kind?.filtered === true,
    ),
  );
}

/** An answer in the API's form that does not hold the result: the API worked, the model did not. */
export const invalidAnswer = (completion: VisionChatCompletion, what: string): UpstreamError =>
  answerError('DESCRIBE_RESPONSE_INVALID', completion, what, true);

/** Depth to which lists and parts are read. */
const MAX_DEPTH = 4;

/**
 * The text of a message: a string, or the text parts of a list. Parts of other types, such as thoughts, are skipped.
 */
function textOfContent(content: unknown, depth = MAX_DEPTH): string {
  if (typeof content === 'string') return content;
  if (typeof content !== 'object' || content === null || depth === 0) return '';
  if (Array.isArray(content)) return content.map((part) => textOfContent(part, depth - 1)).join('');
  const { type, text, content: inner, value } = content as Readonly<Record<string, unknown>>;
  const isTextPart = type === undefined || (typeof type === 'string' && TEXT_TYPE.test(type));
  return isTextPart ? textOfContent(text ?? inner ?? value, depth - 1) : '';
}

const TEXT_TYPE = /^(?:output_)?text$/i;

/** A list may hold the refusal as one of its parts. */
const hasRefusal = (content: unknown): boolean =>
  Array.isArray(content) &&
  content.some((part) => isText((part as { readonly refusal?: unknown } | null | undefined)?.refusal));

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** Tags that models think in, in small letters; the last two are Mistral's and Kimi's. */
export const THOUGHT_TAGS: readonly (readonly [string, string])[] = [
  ...['think', 'thinking', 'thought', 'reasoning'].map((tag) => [`<${tag}>`, `</${tag}>`] as const),
  ['[think]', '[/think]'],
  ['◁think▷', '◁/think▷'],
];

/** Of the same length, which `toLowerCase` alone does not promise. */
export const inSmallLetters = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** The text after its thoughts. Some servers leave out the opening tag. Without a closing tag, all of it is thought. */
function withoutThoughts(text: string): string {
  if (!/[<[◁]/.test(text)) return text;
  const small = inSmallLetters(text);
  for (const [open, close] of THOUGHT_TAGS) {
    const end = small.lastIndexOf(close);
    const begin = small.indexOf(open);
    if (begin >= 0 && small.slice(0, begin).trim() !== '') continue;
    if (end >= 0) return text.slice(end + close.length).trimStart();
    if (begin >= 0) return '';
  }
  return text;
}

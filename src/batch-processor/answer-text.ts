import { UpstreamError } from '../errors/upstream-error.ts';
import { requestIdOf } from './request-id.ts';
import type { VisionChatCompletion } from './vision-target.ts';

/** How servers say that an answer ended at its bound. */
const AT_BOUND: ReadonlySet<unknown> = new Set(['length', 'max_tokens', 'MAX_TOKENS', 'model_length']);
/** How servers say that a filter ended an answer: OpenAI, Gemini (`content_filter: PROHIBITED_CONTENT`), Anthropic. */
const FILTERED = /^(?:content_?filter|refusal)|safety|prohibited|blocklist/i;
const isFiltered = (reason: unknown): boolean => typeof reason === 'string' && FILTERED.test(reason);
/** How servers say that the model was through. */
const THROUGH: ReadonlySet<unknown> = new Set([
  'stop',
  'end_turn',
  'eos',
  'eos_token',
  'stop_sequence',
  'STOP',
]);

/**
 * The text of an answer, whatever form a server gives it: text or a list of parts, thoughts before it left out.
 * @throws `DESCRIBE_REFUSED`, `DESCRIBE_OUTPUT_TRUNCATED` or `DESCRIBE_RESPONSE_INVALID` when it has none. Without any
 * text it is retryable: another answer may have one.
 */
export function answerText(completion: VisionChatCompletion): string {
  const choice = completion?.choices?.[0];
  if (choice?.message == null) throw invalidAnswer(completion, 'the answer holds no message');
  const { content, refusal } = choice.message as { readonly content?: unknown; readonly refusal?: unknown };
  // Each server has words of its own for the reason.
  const reason: unknown = choice.finish_reason;
  const text = withoutThoughts(textOfContent(content));
  const requestId = requestIdOf(completion);
  if (isText(refusal) || isFiltered(reason) || (text === '' && hasRefusal(content))) {
    throw new UpstreamError('DESCRIBE_REFUSED', 'the model refused to describe the image', {
      status: 200,
      requestId,
    });
  }
  const isEmpty = text.trim() === '';
  if (AT_BOUND.has(reason)) {
    const what = isEmpty
      ? 'the answer hit maxOutputTokens before any text'
      : 'the answer hit maxOutputTokens';
    throw new UpstreamError('DESCRIBE_OUTPUT_TRUNCATED', what, {
      status: 200,
      requestId,
      retryable: isEmpty,
    });
  }
  if (!isEmpty) return text;
  if (!THROUGH.has(reason)) throw invalidAnswer(completion, 'the answer holds no text');
  throw new UpstreamError('DESCRIBE_REFUSED', 'the model ended its answer without any text', {
    status: 200,
    requestId,
    retryable: true,
  });
}

/** An answer in the API's form that is not what was asked for: the API did its part, the model did not. */
export const invalidAnswer = (completion: VisionChatCompletion, what: string): UpstreamError =>
  new UpstreamError('DESCRIBE_RESPONSE_INVALID', what, {
    status: 200,
    requestId: completion == null ? undefined : requestIdOf(completion),
    retryable: true,
  });

/** The text of a message: a string, or the text parts of a list. Parts of another type are thoughts and the like. */
function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else if (isTextPart(part)) text += part.text;
  }
  return text;
}

const TEXT_TYPES: ReadonlySet<unknown> = new Set(['text', 'output_text', undefined]);

function isTextPart(part: unknown): part is { readonly text: string } {
  if (typeof part !== 'object' || part === null) return false;
  const { type, text } = part as { readonly type?: unknown; readonly text?: unknown };
  return TEXT_TYPES.has(type) && typeof text === 'string';
}

/** A list may hold the refusal as a part. */
const hasRefusal = (content: unknown): boolean =>
  Array.isArray(content) &&
  content.some((part) => isText((part as { readonly refusal?: unknown } | null | undefined)?.refusal));

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** Tags that models think in. */
const THOUGHT_TAGS = ['think', 'thinking', 'thought'];

/** The text after its thoughts. Some servers leave out the opening tag; without a closing one all of it is thought. */
function withoutThoughts(text: string): string {
  if (!text.includes('<')) return text;
  for (const tag of THOUGHT_TAGS) {
    const [open, close] = [`<${tag}>`, `</${tag}>`];
    const end = text.lastIndexOf(close);
    const begin = text.indexOf(open);
    if (begin >= 0 && text.slice(0, begin).trim() !== '') continue;
    if (end >= 0) return text.slice(end + close.length).trimStart();
    if (begin >= 0) return '';
  }
  return text;
}

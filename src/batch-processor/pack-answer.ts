import { DescribeError } from '../errors/describe-error.ts';
import { UpstreamError } from '../errors/upstream-error.ts';
import type { VisionSchema } from './vision-request.ts';
import type { VisionChatCompletion } from './vision-target.ts';

/** What an answer says about one image. */
export interface AnswerPart {
  readonly description: string;
  /** Present with a schema only. */
  readonly data?: unknown;
}

/** The API's id of a request; the client puts it on the answer. */
export function requestIdOf(completion: VisionChatCompletion): string | undefined {
  const { _request_id: id } = completion as { readonly _request_id?: unknown };
  return typeof id === 'string' ? id : undefined;
}

/**
 * The text of an answer.
 * @throws `DESCRIBE_REFUSED`, `DESCRIBE_OUTPUT_TRUNCATED` or `DESCRIBE_RESPONSE_INVALID` when it has none.
 */
function answerText(completion: VisionChatCompletion): string {
  const choice = completion?.choices?.[0];
  if (choice?.message == null) throw invalid(completion, 'the answer holds no message');
  const { finish_reason: finishReason, message } = choice;
  const requestId = requestIdOf(completion);
  if (message.refusal != null || finishReason === 'content_filter') {
    throw new UpstreamError('DESCRIBE_REFUSED', 'the model refused to describe the image', { requestId });
  }
  if (finishReason === 'length') {
    throw new UpstreamError('DESCRIBE_OUTPUT_TRUNCATED', 'the answer hit maxOutputTokens', { requestId });
  }
  if (typeof message.content !== 'string' || message.content.trim() === '') {
    throw invalid(completion, 'the answer holds no text');
  }
  return message.content;
}

/**
 * The answer to a plain request.
 * @throws as `answerText`, and `DESCRIBE_RESPONSE_INVALID` when it is not of the schema.
 */
export function singleAnswer(completion: VisionChatCompletion, schema: VisionSchema | undefined): AnswerPart {
  const description = answerText(completion);
  if (schema === undefined) return { description };
  const part = structuredPart(parseJson(description), schema);
  // With its status: the API did its part, the model did not.
  if (part === undefined) throw invalid(completion, 'the answer is not of the schema asked for', 200);
  return part;
}

/**
 * The answers of a pack by id: only ids that were asked for, that came exactly once, and whose content is valid. What
 * is absent has to be asked for again. Order does not matter; ids that nobody gave are ignored.
 * @throws `DESCRIBE_REFUSED` or `DESCRIBE_OUTPUT_TRUNCATED`; an answer without text answers nothing.
 */
export function packAnswers(
  completion: VisionChatCompletion,
  wanted: ReadonlyMap<string, VisionSchema | undefined>,
): Map<string, AnswerPart> {
  const answers = new Map<string, AnswerPart>();
  const seen = new Set<string>();
  for (const item of itemsOf(parseJson(packText(completion)))) {
    const { id } = item;
    if (typeof id !== 'string' || !wanted.has(id)) continue;
    // Two answers under one id: either may be another image's.
    answers.delete(id);
    const part = seen.has(id) ? undefined : partOf(item, wanted.get(id));
    seen.add(id);
    if (part !== undefined) answers.set(id, part);
  }
  return answers;
}

function packText(completion: VisionChatCompletion): string {
  try {
    return answerText(completion);
  } catch (error) {
    if (DescribeError.is(error, 'DESCRIBE_RESPONSE_INVALID')) return '';
    throw error;
  }
}

interface PackItem {
  readonly id?: unknown;
  readonly text?: unknown;
  readonly data?: unknown;
}

function itemsOf(json: unknown): PackItem[] {
  if (typeof json !== 'object' || json === null || !('items' in json) || !Array.isArray(json.items))
    return [];
  return json.items.filter((item): item is PackItem => typeof item === 'object' && item !== null);
}

function partOf({ text, data }: PackItem, schema: VisionSchema | undefined): AnswerPart | undefined {
  if (schema !== undefined) return structuredPart(data, schema);
  return typeof text === 'string' && text.trim() !== '' ? { description: text } : undefined;
}

function structuredPart(json: unknown, { parse }: VisionSchema): AnswerPart | undefined {
  if (json === undefined) return undefined;
  try {
    return { description: JSON.stringify(json), data: parse === undefined ? json : parse(json) };
  } catch {
    // What it threw is dropped, for it may repeat a part of the description.
    return undefined;
  }
}

/** The parsed text, `undefined` when it is not JSON: the parser's error would repeat a part of the description. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const invalid = (completion: VisionChatCompletion, what: string, status?: number) =>
  new UpstreamError('DESCRIBE_RESPONSE_INVALID', what, {
    status,
    requestId: completion == null ? undefined : requestIdOf(completion),
    retryable: true,
  });

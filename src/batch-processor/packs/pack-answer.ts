import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { answerJson } from './answer-json.ts';
import { answerText, invalidAnswer } from './answer-text.ts';
import { parsedBy, parseFailure } from './parse-failure.ts';
import { requestIdOf } from './request-id.ts';
import type { VisionSchema } from './vision-request.ts';
import type { VisionChatCompletion } from './vision-target.ts';

/** What an answer says about one image. */
export interface AnswerPart {
  readonly description: string;
  /** Present with a schema only. */
  readonly data?: unknown;
}

/**
 * The answer to a plain request.
 * @throws as `answerText`, and `DESCRIBE_RESPONSE_INVALID` when it is not of the schema.
 */
export function singleAnswer(completion: VisionChatCompletion, schema: VisionSchema | undefined): AnswerPart {
  const description = answerText(completion);
  if (schema === undefined) return { description };
  const part = structuredPart(answerJson(description), schema, requestIdOf(completion));
  if (part === undefined) throw invalidAnswer(completion, 'the answer is not of the schema asked for');
  if (part instanceof UpstreamError) throw part;
  return part;
}

/**
 * The answers of a pack by id: only ids that were asked for, that came exactly once, and whose content is valid. What
 * is absent has to be asked for again; where `parse` has a mistake, that would not help, and its failure stands. Order
 * does not matter; ids that nobody gave are ignored.
 * @throws `DESCRIBE_REFUSED` or `DESCRIBE_OUTPUT_TRUNCATED`; an answer without text answers nothing.
 */
export function packAnswers(
  completion: VisionChatCompletion,
  wanted: ReadonlyMap<string, VisionSchema | undefined>,
): Map<string, AnswerPart | UpstreamError> {
  const answers = new Map<string, AnswerPart | UpstreamError>();
  const seen = new Set<string>();
  for (const item of itemsOf(answerJson(packText(completion)))) {
    const { id } = item;
    if (typeof id !== 'string' || !wanted.has(id)) continue;
    // Two answers under one id: either may be another image's.
    answers.delete(id);
    const part = seen.has(id) ? undefined : partOf(item, wanted.get(id), requestIdOf(completion));
    seen.add(id);
    const isAskedAgain = part instanceof UpstreamError && part.retryable;
    if (part !== undefined && !isAskedAgain) answers.set(id, part);
  }
  return answers;
}

function packText(completion: VisionChatCompletion): string {
  try {
    return answerText(completion);
  } catch (error) {
    // Its images are asked for again alone, but where the pack was too large for its bound.
    if (DescribeError.is(error) && failureMeaning(error).kind === 'content' && !isTooLarge(error)) return '';
    throw error;
  }
}

const isTooLarge = (error: DescribeError): boolean => failureMeaning(error).blames === 'size';

interface PackItem {
  readonly id?: unknown;
  readonly text?: unknown;
  readonly data?: unknown;
}

function itemsOf(json: unknown): PackItem[] {
  // Servers that do not keep to the schema may leave the object around the list out.
  const items = Array.isArray(json) ? json : (json as { readonly items?: unknown } | null | undefined)?.items;
  if (!Array.isArray(items)) return [];
  return items.filter((item): item is PackItem => typeof item === 'object' && item !== null);
}

function partOf(
  { text, data }: PackItem,
  schema: VisionSchema | undefined,
  requestId: string | undefined,
): AnswerPart | UpstreamError | undefined {
  if (schema !== undefined) return structuredPart(data, schema, requestId);
  return typeof text === 'string' && text.trim() !== '' ? { description: text } : undefined;
}

function structuredPart(
  json: unknown,
  { parse }: VisionSchema,
  requestId: string | undefined,
): AnswerPart | UpstreamError | undefined {
  if (json === undefined) return undefined;
  try {
    return { description: JSON.stringify(json), data: parsedBy(parse, json) };
  } catch (thrown) {
    return parseFailure(thrown, requestId);
  }
}

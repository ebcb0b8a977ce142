import type { CutAnswer } from '../../errors/cut-answer.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import { answerText, invalidAnswer, keepText, requestIdOf } from './answer.ts';
import type { VisionSchema } from './vision-request.ts';
import type { VisionChatCompletion } from './vision-target.ts';

/** The part of an answer about one image. */
export interface AnswerPart {
  readonly description: string;
  /** Present only with a schema. */
  readonly data?: unknown;
}

/**
 * The answer to a plain request. With `facts`, a text that was cut off is kept beside the error: not JSON, which would
 * be of no use, nor the text of a pack.
 * @throws as `answerText`, and `DESCRIBE_RESPONSE_INVALID` when it does not match the schema.
 */
export function singleAnswer(
  completion: VisionChatCompletion,
  schema: VisionSchema | undefined,
  facts?: Omit<CutAnswer, 'description'>,
): AnswerPart {
  let description: string;
  try {
    description = answerText(completion);
  } catch (error) {
    if (schema === undefined && facts !== undefined) keepText(error, completion, facts);
    throw error;
  }
  if (schema === undefined) return { description };
  const part = structuredPart(answerJson(description), schema, requestIdOf(completion));
  if (part === undefined) throw invalidAnswer(completion, 'the answer does not match the schema');
  if (part instanceof UpstreamError) throw part;
  return part;
}

/**
 * The answers of a pack by id. Holds only requested ids that came exactly once with valid content. Images without an
 * entry have to be requested again. A mistake in `parse` would come again, so its failure is the entry. Order does not
 * matter; unknown ids are ignored.
 * @throws `DESCRIBE_REFUSED` or `DESCRIBE_OUTPUT_TRUNCATED`; an answer without text gives no entry.
 */
export function packAnswers(
  completion: VisionChatCompletion,
  wanted: ReadonlyMap<string, VisionSchema | undefined>,
): Map<string, AnswerPart | UpstreamError> {
  const answers = new Map<string, AnswerPart | UpstreamError>();
  const seen = new Set<string>();
  const requestId = requestIdOf(completion);
  for (const item of itemsOf(answerJson(packText(completion)))) {
    const { id } = item;
    if (typeof id !== 'string' || !wanted.has(id)) continue;
    // Two answers have one id: either may belong to another image.
    answers.delete(id);
    const part = seen.has(id) ? undefined : partOf(item, wanted.get(id), requestId);
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
    // The images are requested again alone, unless the pack was too large for its output limit.
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
  // A server that does not keep to the schema may leave out the object around the list.
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

/**
 * The data that `schema.parse` makes of an answer; the answer itself without `parse`.
 * @throws the error of `parse`, and a `TypeError` where `parse` returns a promise. The rejection of that promise is
 * ignored.
 */
export function parsedBy<Data>(parse: ((value: unknown) => Data) | undefined, json: unknown): Data {
  if (parse === undefined) return json as Data;
  const data = parse(json);
  if (ignoreRejection(data)) throw new TypeError('schema.parse must return the data, got a promise');
  return data;
}

/**
 * Names of errors that mean a mistake in code. They are compared by name, because a validator may derive its own errors
 * from these, and its errors blame the answer. `SyntaxError` is left out: `parse` may read JSON within the answer.
 */
const MISTAKES: ReadonlySet<unknown> = new Set(['TypeError', 'ReferenceError', 'RangeError', 'EvalError']);

/**
 * The failure of `schema.parse`. Its error is only the `cause`, because it may repeat the answer. A mistake in the code
 * of `parse` is not retryable: every answer would meet it.
 */
export function parseFailure(thrown: unknown, requestId?: string): UpstreamError {
  const isMistake = thrown instanceof Error && MISTAKES.has(thrown.name);
  const what = isMistake
    ? `schema.parse failed with a ${thrown.name}; see cause`
    : 'the answer does not match the schema: schema.parse refused it; see cause';
  return new UpstreamError('DESCRIBE_RESPONSE_INVALID', what, {
    cause: thrown,
    status: 200,
    requestId,
    retryable: !isMistake,
  });
}

const FENCE = '```';

/**
 * The JSON of an answer, also inside a code fence or, for an object, between words. Undefined where there is none. The
 * parser's error is dropped: it would repeat a part of the description.
 */
export function answerJson(text: string): unknown {
  const whole = parsed(text);
  if (whole !== undefined) return whole;
  const inFence = parsed(fenced(text));
  return inFence === undefined ? parsed(braced(text)) : inFence;
}

/** The text from the first brace that begins an object to the last closing brace. */
function braced(text: string): string {
  const begin = text.search(/\{\s{0,20}"/);
  return begin < 0 ? '' : text.slice(begin, text.lastIndexOf('}') + 1);
}

/** The content of the first code fence, without the name of its language. */
function fenced(text: string): string {
  const begin = text.indexOf(FENCE);
  if (begin < 0) return '';
  const rest = text.slice(begin + FENCE.length);
  const end = rest.lastIndexOf(FENCE);
  return (end < 0 ? rest : rest.slice(0, end)).replace(/^[\w+-]{1,20}(?=\s)/, '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

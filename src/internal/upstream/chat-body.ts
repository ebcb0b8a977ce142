import { ChatChunks } from './chat-chunks.ts';
import { errorBodyOf } from './error-body.ts';
import { joinedEvents } from './event-reader.ts';
import { headerOf } from './response-headers.ts';

/** An answer with a status of success that is no chat completion, in the form of an error of the API's client. */
export class AnswerError extends Error {
  /** The status that the body names; else that of the answer. */
  readonly status: number;
  /** The parsed error; undefined where the answer is not JSON. */
  readonly error: unknown;
  readonly headers: unknown;
  readonly requestID: string | undefined;
  /** The answer that an error broke off: it may have been billed. */
  readonly completion: object | undefined;

  constructor(message: string, status: number, error: unknown, headers: unknown, completion?: object) {
    super(message);
    this.status = status;
    this.error = error;
    this.headers = headers;
    this.requestID = headerOf(headers, 'x-request-id');
    this.completion = completion;
  }
}

AnswerError.prototype.name = 'AnswerError';

/** Statuses that stand for words in a body. Source: OpenAI, Anthropic, Google, vLLM. */
const STATUS_OF_WORDS: readonly (readonly [RegExp, number])[] = [
  [/^(?:rate_?limit\w*|too_?many_?requests|resource_exhausted)$/i, 429],
  [/^(?:overloaded(?:_?error)?|server_is_overloaded|service_?unavailable\w*|unavailable)$/i, 503],
  [/^(?:(?:internal_?)?server_?error|internal(?:_?error)?|api_error)$/i, 500],
  [/^(?:timeout\w*|request_?timeout|deadline_exceeded)$/i, 504],
  [/^(?:authentication_?error|unauthenticated|unauthorized|invalid_api_key)$/i, 401],
  [/^(?:permission_?denied|permission_?error|forbidden)$/i, 403],
  [/^(?:not_?found\w*|model_not_found)$/i, 404],
  [/^(?:invalid_?request\w*|invalid_(?:argument|prompt)|bad_?request\w*)$/i, 400],
];

const SERVER_FAILURE = 500;

interface AnswerHead {
  readonly status?: number;
  readonly headers?: unknown;
}

/**
 * The body of an answer: parsed, or joined by `ofEvents` from a stream of events, which some gateways send unasked.
 * @throws `AnswerError` for any other text, and for no body
 */
export function parsedBody(
  data: unknown,
  { status = 200, headers }: AnswerHead,
  ofEvents: (text: string) => unknown,
): unknown {
  if (typeof data !== 'string' && data !== undefined) return data;
  const text = data ?? '';
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    const body = EVENTS.test(text) ? ofEvents(text) : undefined;
    if (body !== undefined) return body;
  }
  throw new AnswerError(`${status} ${text.slice(0, 2_000)}`, status, undefined, headers ?? {});
}

/**
 * Reads the completion from an answer with a status of success, whatever its content type says.
 * @throws `AnswerError` for text that is not JSON, and for an error in the place of a completion.
 */
export function chatCompletionIn<Completion extends object>(data: unknown, head: AnswerHead = {}): Completion {
  const { status = 200, headers } = head;
  const body = parsedBody(data, head, completionOfEvents);
  const failed = failureIn(body);
  // An error beside a choice may be a text alone.
  const error = failed === undefined ? undefined : errorBodyOf(failed === body ? body : { error: failed });
  if (error?.message !== undefined || error?.code !== undefined) {
    const named = error.status ?? statusOfWords(error.code) ?? statusOfWords(error.type);
    if (failed === body) throw new AnswerError(error.message ?? '', named ?? status, failed, headers);
    // The address is right and the request was taken: without a word, what broke the answer off is the server's
    // failure.
    throw new AnswerError(error.message ?? '', named ?? SERVER_FAILURE, failed, headers, body as object);
  }
  // JSON that is not an object counts as a completion without choices, which its reader refuses.
  return (typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}) as Completion;
}

interface MaybeCompletion {
  readonly error?: unknown;
  readonly choices?: readonly ({
    readonly error?: unknown;
    readonly finish_reason?: unknown;
    readonly message?: { readonly content?: unknown };
  } | null)[];
}

/** The value in the place of a choice or of its text; undefined where there is a choice without an error. */
function failureIn(body: unknown): unknown {
  const { choices, error } = (body ?? {}) as MaybeCompletion;
  const choice = Array.isArray(choices) ? (choices as MaybeCompletion['choices'])?.[0] : undefined;
  if (choice === undefined || choice === null) return body;
  // With a readable text, an error is no reason to pay for another answer, unless it broke the text off.
  const isWhole = choice.message?.content && choice.finish_reason !== 'error';
  return isWhole ? undefined : (choice.error ?? error ?? undefined);
}

function statusOfWords(word: string | undefined): number | undefined {
  return word === undefined ? undefined : STATUS_OF_WORDS.find(([words]) => words.test(word))?.[1];
}

const BYTE_ORDER_MARK = '\ufeff';

const EVENTS = /^\ufeff?(?:data|event|id|retry)?:/;

/** Joins a stream of chunks. An error in it takes the place of the completion. Undefined for one without an end. */
const completionOfEvents = (text: string): object | undefined => joinedEvents(text, new ChatChunks());

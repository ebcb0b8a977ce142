import type { StreamedBody } from '../encoding/request-body.ts';

/** Header names in lower case; a repeated header is a list. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values alternating. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array | StreamedBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Timeout of the whole answer, headers and body, in milliseconds; for a stream, of its headers.
   * @defaultValue none
   */
  readonly timeoutMs?: number | undefined;
  /** Whether `timeoutMs` bounds a stream to its end too. @defaultValue false */
  readonly boundsStream?: boolean | undefined;
  /** Whether it is sent once more when a kept-alive socket died before any byte of an answer. @defaultValue true */
  readonly resends?: boolean | undefined;
  /** The reader of the body; the answer then resolves at its end, with an empty one. @defaultValue it is collected */
  readonly takesChunks?: ChunkDecision | undefined;
  /** No caller waits for its answer: neither its socket nor its timer keeps the process alive. @defaultValue false */
  readonly background?: boolean | undefined;
}

/**
 * Decides by status and headers whether the body of an answer is taken chunk by chunk as it arrives. Returns the
 * function that takes it; its throw ends the exchange. Nothing slows the server down, so it must be quick.
 */
export type ChunkDecision = (status: number, headers: AnswerHeaders) => ChunkTaker | undefined;

/** Returns true when it needs no more. The answer then resolves at once, and the rest of it is skipped. */
export type ChunkTaker = (chunk: Buffer) => boolean;

/**
 * How long a connection stays open for the rest of an answer that nobody needs. A server that has no more to say ends
 * the answer within it, so that the next request goes over the same connection.
 */
export const REST_MS = 100;

interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
}

/** An answer that arrived whole. */
export interface WholeAnswer extends AnswerHead {
  readonly kind: 'whole';
  readonly body: Buffer;
}

/** An answer whose body is still on its way. */
export interface StreamedAnswer extends AnswerHead {
  readonly kind: 'streamed';
  readonly body: ReadableStream<Uint8Array>;
}

export type HttpAnswer = WholeAnswer | StreamedAnswer;

/** Decides by status and headers whether an answer is streamed rather than collected. */
export type StreamDecision = (status: number, headers: AnswerHeaders) => boolean;

/** Statuses whose answers have no body (Fetch standard, "null body status"). */
const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Whether an answer has no body whatever its headers say. */
export const isBodyless = (method: string, status: number): boolean => method === 'HEAD' || BODYLESS.has(status);

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

export const isJson = (type: AnswerHeaders[string]): type is string => typeof type === 'string' && JSON_TYPE.test(type);

/** Streams every body but JSON, which readers need whole, and an empty one. */
export const isStreamed: StreamDecision = (status, headers) => {
  if (headers['content-length'] === '0' || BODYLESS.has(status)) return false;
  const type = headers['content-type'];
  return typeof type !== 'string' || !JSON_TYPE.test(type);
};

/** UTF-8 without its byte order mark, as the web's `text()` decodes it. */
export function textOfBytes(bytes: Buffer): string {
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', isMarked ? 3 : 0);
}

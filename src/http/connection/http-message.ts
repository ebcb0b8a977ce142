import type { StreamedBody } from '../encoding/request-body.ts';

/** Header names in lower case; a header that came more than once is a list. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array | StreamedBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bound of the whole answer, headers and body, in milliseconds; for a stream, of its headers. @defaultValue none */
  readonly timeoutMs?: number | undefined;
  /** Whether `timeoutMs` bounds a stream to its end too. @defaultValue false */
  readonly boundsStream?: boolean | undefined;
  /** Whether it is sent once more when a kept-alive socket died before any byte of an answer. @defaultValue true */
  readonly resends?: boolean | undefined;
  /** Nobody waits for its answer: neither its socket nor its timer keeps the process alive. @defaultValue false */
  readonly background?: boolean | undefined;
}

/** An answer that arrived whole. */
export interface WholeAnswer {
  readonly kind: 'whole';
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly body: Buffer;
}

/** An answer whose body is still on its way. */
export interface StreamedAnswer {
  readonly kind: 'streamed';
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly body: ReadableStream<Uint8Array>;
}

export type HttpAnswer = WholeAnswer | StreamedAnswer;

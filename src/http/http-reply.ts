import { setErrorName } from '../errors/describe-error.ts';
import { UpstreamError } from '../errors/index.ts';
import { shortTokenOf } from '../internal/upstream/server-reason.ts';

/** An answer that arrived whole. */
export interface HttpReply<Data = unknown> {
  readonly status: number;
  /** Names in lower case; a repeated header is joined by commas. Cookies are in `setCookies`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every `Set-Cookie` header. */
  readonly setCookies: readonly string[];
  /** JSON as its value, text as a string, anything else as bytes; `undefined` when the answer has no body. */
  readonly data: Data;
}

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** A server answered with a status outside 200 to 299. */
export class HttpStatusError extends UpstreamError {
  declare readonly status: number;
  /** The whole answer. Not enumerable, so that a logger does not print the server's text. */
  declare readonly reply: HttpReply;

  constructor(method: string, reply: HttpReply) {
    super('DESCRIBE_UPSTREAM', `${method} answered ${reply.status}`, {
      status: reply.status,
      requestId: shortTokenOf(reply.headers['x-request-id']),
      retryable: RETRYABLE_STATUSES.has(reply.status),
    });
    Object.defineProperty(this, 'reply', { value: reply });
  }
}

setErrorName(HttpStatusError, 'HttpStatusError');

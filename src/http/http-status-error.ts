import { setErrorName } from '../errors/describe-error.ts';
import { UpstreamError } from '../errors/index.ts';
import { shortTokenOf } from '../internal/upstream/server-reason.ts';
import type { HttpReply } from './http-reply.ts';

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** A server answered with a status outside 200 to 299. */
export class HttpStatusError extends UpstreamError {
  declare readonly status: number;
  /** The whole answer. Not enumerable, so that a logger does not print what the server sent. */
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

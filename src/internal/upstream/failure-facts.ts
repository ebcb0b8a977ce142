import { type ErrorBody, errorBodyOf } from './error-body.ts';
import { headerOf, mediaTypeOf } from './response-headers.ts';

/** The fields that an error of any copy of the OpenAI client, or of fetch, may carry. Recognised by shape. */
export interface ForeignError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  /** The error of a JSON body; undefined where the answer was not JSON, or had no error. */
  readonly error?: unknown;
  readonly headers?: unknown;
  readonly requestID?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
}

/** Everything that a failed answer contains: the error of its body, or the text of a page. */
export interface FailureFacts extends Omit<ErrorBody, 'status'> {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly headers: unknown;
  /** Media type of an answer that was not JSON, or `none`; undefined where it was JSON, or empty. */
  readonly contentType: string | undefined;
  /** The text of an answer that was not JSON, as far as the client's message contains it. */
  readonly pageText?: string;
}

export function failureFactsOf(foreign: ForeignError, status: number): FailureFacts {
  const { error, headers, code, type, param, message } = foreign;
  const requestId = textOf(foreign.requestID) ?? headerOf(headers, 'x-request-id');
  if (isPage(foreign, status)) {
    return { status, requestId, headers, contentType: mediaTypeOf(headers), pageText: pageTextOf(foreign, status) };
  }
  const { status: _, ...body } = errorBodyOf({ error }) ?? {};
  return {
    ...errorBodyOf({ code, type, param, message }),
    ...body,
    status,
    requestId,
    headers,
    contentType: undefined,
  };
}

/** Without a parsed body, the client's message is the status and the text of the answer. */
function isPage(foreign: ForeignError, status: number): boolean {
  const { error, code, type, headers, message } = foreign;
  if (!Object.hasOwn(foreign, 'error')) return false;
  if (headers === undefined || error !== undefined || code !== undefined || type !== undefined) return false;
  if (status < 300) return true;
  return typeof message === 'string' && message.startsWith(`${status} `) && !hasNoBody(message);
}

/** The client's message for an answer without a body. */
export const hasNoBody = (message: string): boolean => message.endsWith('(no body)');

function pageTextOf({ message }: ForeignError, status: number): string {
  const text = (textOf(message) ?? '').trim();
  return (text.startsWith(String(status)) ? text.slice(String(status).length) : text).trimStart();
}

/** A short word. A server that puts anything else in the place of a code could repeat the request. */
export const codeTextOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

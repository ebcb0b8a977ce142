import { type ErrorBody, errorBodyOf } from './error-body.ts';
import { headerOf } from './retry-after.ts';
import { shortTokenOf } from './short-token.ts';

/** What an error of any copy of the OpenAI client, or of fetch, may carry. Recognised by shape, not by class. */
export interface ForeignError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  /** The error of a JSON body; undefined where the answer was none, or had no error. */
  readonly error?: unknown;
  readonly headers?: unknown;
  readonly requestID?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
}

/** What an answer that is no description tells: the error of its body, or that it is a page. */
export interface ToldFailure extends Omit<ErrorBody, 'status'> {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly headers: unknown;
  /** Media type of an answer that was not JSON, or `none`; undefined where it was JSON, or there was nothing. */
  readonly contentType: string | undefined;
  /** The text of an answer that was not JSON, as far as the client's message has it. */
  readonly pageText?: string;
}

/** Text of a client for an answer without a body. */
const NO_BODY = /\(no body\)$/;

export function toldFailureOf(foreign: ForeignError, status: number): ToldFailure {
  const { error, headers } = foreign;
  const requestId = shortTokenOf(textOf(foreign.requestID) ?? headerOf(headers, 'x-request-id'));
  const contentType = isPage(foreign, status) ? mediaTypeOf(headers) : undefined;
  if (contentType !== undefined) {
    return { status, requestId, headers, contentType, pageText: pageTextOf(foreign, status) };
  }
  const { status: _, ...body } = errorBodyOf({ error }) ?? {};
  const own = errorBodyOf({
    code: foreign.code,
    type: foreign.type,
    param: foreign.param,
    message: foreign.message,
  });
  return { ...own, ...body, status, requestId, headers, contentType };
}

/** An error of the client without a parsed body has the text of the answer in its message, after the status. */
function isPage(foreign: ForeignError, status: number): boolean {
  const { error, code, type, headers, message } = foreign;
  if (!Object.hasOwn(foreign, 'error') || headers === undefined) return false;
  if (error !== undefined || code !== undefined || type !== undefined) return false;
  if (status < 300) return true;
  return typeof message === 'string' && message.startsWith(`${status} `) && !NO_BODY.test(message.slice(-20));
}

/** Without the status that the client puts before it. */
function pageTextOf({ message }: ForeignError, status: number): string {
  const text = (textOf(message) ?? '').trim();
  return (text.startsWith(String(status)) ? text.slice(String(status).length) : text).trimStart();
}

/** The media type of an answer in small letters, or `none`. */
export function mediaTypeOf(headers: unknown): string {
  const mediaType = /^[\w.+-]{1,40}\/[\w.+-]{1,60}/.exec(headerOf(headers, 'content-type')?.trim() ?? '')?.[0];
  return mediaType?.toLowerCase() ?? 'none';
}

const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json$/;

export const isJsonType = (mediaType: string): boolean => JSON_TYPE.test(mediaType);

/** A code is a short word; a server that puts anything else there could repeat the request. */
export const codeTextOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

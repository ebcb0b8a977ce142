import { DescribeError, InputError, UpstreamError } from '../errors/index.ts';
import { headerRecord } from '../internal/options/http-checks.ts';

import { describeKind } from '../internal/options/option-checks.ts';
import { callOptions } from '../internal/options/own-options.ts';
import type { HttpConnection } from './connection/http-connection.ts';
import { type AnswerHeaders, isJson, textOfBytes, type WholeAnswer } from './connection/http-message.ts';
import { ReadOnlyHeaders } from './connection/web-headers.ts';
import { type OutgoingBody, outgoingBody } from './encoding/request-body.ts';
import { type HttpReply, HttpStatusError } from './http-reply.ts';
import { pathBelow, type Query } from './path-below.ts';

/** Methods that a client sends. */
export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

export interface HttpRequestOptions {
  /** Headers of this request; they win over the client's. */
  readonly headers?: Readonly<Record<string, string>> | Headers | undefined;
  /** Query parameters, added to those of the path; `undefined` adds none. */
  readonly query?: Query | undefined;
  /**
   * Strings, bytes, `URLSearchParams`, `FormData`, `Blob` and streams are sent as they are. Blobs and streams are sent
   * piece by piece. `undefined` sends nothing, and any other value is sent as JSON.
   */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Timeout of the whole answer, in milliseconds. @defaultValue the client's */
  readonly timeoutMs?: number | undefined;
}

export interface HttpClientOptions {
  readonly baseURL: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

const TEXT_TYPE = /^text\//i;

/**
 * An HTTP client on one keep-alive connection. Every answer arrives whole and within its deadline, redirects are not
 * followed, and a request never leaves its base URL.
 */
export class HttpClient {
  readonly #connection: HttpConnection;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  constructor(connection: HttpConnection, { baseURL, headers, timeoutMs }: HttpClientOptions) {
    this.#connection = connection;
    this.#base = new URL(baseURL);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#headers = headers;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether a request failed without an answer, so that the connection should be replaced. */
  get failed(): boolean {
    return this.#connection.failed;
  }

  /** Sends GET. @throws as `request` does. */
  get<Data = unknown>(path: string, options?: HttpRequestOptions): Promise<HttpReply<Data>> {
    return this.request<Data>('GET', path, options);
  }

  /** Sends POST with a body. @throws as `request` does. */
  post<Data = unknown>(path: string, body?: unknown, options?: HttpRequestOptions): Promise<HttpReply<Data>> {
    return this.request<Data>('POST', path, { ...options, body });
  }

  /** Sends PUT with a body. @throws as `request` does. */
  put<Data = unknown>(path: string, body?: unknown, options?: HttpRequestOptions): Promise<HttpReply<Data>> {
    return this.request<Data>('PUT', path, { ...options, body });
  }

  /** Sends DELETE. @throws as `request` does. */
  delete<Data = unknown>(path: string, options?: HttpRequestOptions): Promise<HttpReply<Data>> {
    return this.request<Data>('DELETE', path, options);
  }

  /**
   * Sends a request to a path below the base URL and resolves with its answer.
   * @throws `DESCRIBE_UPSTREAM` as `HttpStatusError` for a status outside 200 to 299, with the answer as `reply`.
   * @throws `DESCRIBE_UPSTREAM` when no answer came, with the reason as its cause.
   * @throws `DESCRIBE_RESPONSE_INVALID` for JSON that does not parse, or an answer above `maxResponseBytes`.
   * @throws `DESCRIBE_TIMEOUT` after `timeoutMs`.
   * @throws `DESCRIBE_INPUT_INVALID` for a path that is no URL or leaves the base URL, or a forbidden header. Also for
   * a body that is not JSON (a `Map` would be `{}`), or a `timeoutMs` that is not above 0.
   * @throws the signal's reason when it aborts.
   */
  async request<Data = unknown>(
    method: HttpMethod,
    path: string,
    options: HttpRequestOptions = {},
  ): Promise<HttpReply<Data>> {
    const { headers, query, body, signal, timeoutMs = this.#timeoutMs } = callOptions(options);
    if (!(typeof timeoutMs === 'number' && timeoutMs > 0)) {
      throw new InputError('timeoutMs', `must be a number above 0; got ${describeKind(timeoutMs)}`);
    }
    const encoded = encodeBody(body);
    const merged = mergeHeaders(this.#headers, headers, encoded?.contentType);
    const answer = await this.#connection
      .send({
        method,
        path: pathBelow(this.#base, path, query),
        headers: merged,
        body: encoded?.body,
        signal,
        timeoutMs,
      })
      .catch((error: unknown) => {
        if (DescribeError.is(error) || signal?.aborted) throw error;
        throw new UpstreamError('DESCRIBE_UPSTREAM', `${method} got no answer`, {
          cause: error,
          retryable: true,
        });
      });
    const reply = toReply(method, answer);
    if (reply.status < 200 || reply.status > 299) throw new HttpStatusError(method, reply);
    return reply as HttpReply<Data>;
  }
}

function encodeBody(body: unknown): OutgoingBody | undefined {
  if (body === undefined) return undefined;
  return outgoingBody(body) ?? { body: jsonBody(body), contentType: 'application/json' };
}

const NO_JSON = "must be JSON, a string, bytes, a form or a stream; got a value that JSON can't hold";

function jsonBody(body: unknown): Uint8Array {
  let text: string | undefined;
  try {
    text = JSON.stringify(body);
    // Only an empty object can be a value whose content JSON does not see.
    if (text?.includes('{}')) JSON.stringify(body, refuseUnseen);
  } catch (cause) {
    if (DescribeError.is(cause)) throw cause;
    throw new InputError('body', NO_JSON, { cause });
  }
  if (text === undefined) throw new InputError('body', NO_JSON);
  return Buffer.from(text);
}

/** A `Map`, a promise or an object of private fields: JSON would silently write `{}` for it. */
function refuseUnseen(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const prototype: object | null = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (isPlain || Object.keys(value).length > 0) return value;
  const name = codeWord(prototype?.constructor?.name) ?? 'object';
  throw new InputError(
    'body',
    `must be plain: JSON would make {} of a ${name}. Pass a plain object, an array or bytes.`,
  );
}

const codeWord = (name: unknown): string | undefined =>
  typeof name === 'string' && /^\w{1,40}$/.test(name) ? name : undefined;

function mergeHeaders(
  common: Readonly<Record<string, string>>,
  own: HttpRequestOptions['headers'],
  contentType: string | undefined,
): string[] {
  const merged = new Map([['accept-encoding', 'identity']]);
  if (contentType !== undefined) merged.set('content-type', contentType);
  for (const [name, value] of Object.entries(common)) merged.set(name.toLowerCase(), value);
  for (const [name, value] of own instanceof Headers ? own : Object.entries(own ?? {})) {
    checkHeader(name, value);
    merged.set(name.toLowerCase(), value);
  }
  return [...merged].flat();
}

/** Headers that tell how a message is framed: the connection writes them itself. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

function checkHeader(name: string, value: unknown): void {
  if (headerRecord()({ [name]: value }, name).length > 0) {
    throw new InputError('headers', 'must hold names and values that HTTP allows; got one with other characters');
  }
  if (FRAMING.has(name.toLowerCase())) {
    throw new InputError('headers', `must not set ${name.toLowerCase()}: the connection sets it. Leave it out.`);
  }
}

function toReply(method: string, { status, headers, body }: WholeAnswer): HttpReply {
  return {
    status,
    headers: joinHeaders(headers),
    setCookies: new ReadOnlyHeaders(headers).getSetCookie(),
    data: decodeBody(method, status, headers, body),
  };
}

function joinHeaders(headers: AnswerHeaders): Readonly<Record<string, string>> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // Cookies can't be joined, because their dates contain commas (RFC 6265, section 3).
    if (value !== undefined && name !== 'set-cookie')
      joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}

function decodeBody(method: string, status: number, headers: AnswerHeaders, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const type = headers['content-type'];
  if (isJson(type)) {
    const text = textOfBytes(body);
    try {
      return JSON.parse(text);
    } catch {
      // An error page with the media type of JSON is still an error page. The parser's error would quote the body.
      if (status < 200 || status > 299) return text;
      throw new UpstreamError('DESCRIBE_RESPONSE_INVALID', `${method} answered JSON that does not parse`, {
        status,
        contentType: 'application/json',
      });
    }
  }
  return typeof type === 'string' && TEXT_TYPE.test(type) ? textOfBytes(body) : new Uint8Array(body);
}

import { InputError } from '../errors/index.ts';
import type { HttpConnection } from './http-connection.ts';
import type { AnswerHeaders, StreamedAnswer } from './http-message.ts';
import { ThinResponse } from './thin-response.ts';

/** A `fetch` on one connection. */
export type ConnectionFetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * Makes a `fetch` whose requests all take this connection. JSON answers arrive whole, so that a caller's deadline
 * covers headers and body, and come as a `ThinResponse`; everything else comes as the web's own streaming `Response`.
 * Redirects are not followed, and another origin is refused: a key must not travel there.
 */
export function connectionFetch(connection: HttpConnection): ConnectionFetch {
  const { origin } = connection;
  return async (input, given = {}) => {
    const isRequest = typeof input !== 'string' && !(input instanceof URL);
    const url = typeof input === 'string' ? input : isRequest ? input.url : input.href;
    const init = isRequest ? { ...(await partsOf(input)), ...given } : given;
    const { bytes, contentType } = await bodyBytes(init.body);
    const answer = await connection.send(
      {
        method: init.method ?? 'GET',
        path: pathOn(origin, url),
        headers: headerList(init.headers, contentType),
        body: bytes,
        signal: init.signal ?? undefined,
      },
      isStreamed,
    );
    if (answer.kind === 'streamed') return webResponse(answer);
    return new ThinResponse(answer, url) as unknown as Response;
  };
}

export interface ConnectionQuestion {
  readonly headers: Headers;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Nobody waits for the answer: neither socket nor timer keeps the process alive. */
  readonly background: boolean;
}

/** Gets an answer, whole whatever its type. */
export async function ask(
  connection: HttpConnection,
  url: string,
  { headers, ...rest }: ConnectionQuestion,
): Promise<ThinResponse> {
  const path = pathOn(connection.origin, url);
  const answer = await connection.send(
    { method: 'GET', path, headers: headerList(headers, undefined), ...rest },
    () => false,
  );
  if (answer.kind === 'streamed') throw new TypeError('nothing was to be streamed');
  return new ThinResponse(answer, url);
}

async function partsOf(request: Request): Promise<RequestInit> {
  const { method, headers, signal } = request;
  return { method, headers, signal, body: request.body === null ? null : await request.arrayBuffer() };
}

/** The path and query of a URL of that origin. @throws `DESCRIBE_INPUT_INVALID` for another one. */
export function pathOn(origin: string, url: string): string {
  if (url.startsWith(origin) && url.charCodeAt(origin.length) === 0x2f && !url.includes('#')) {
    return url.slice(origin.length);
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.origin !== origin) throw new InputError('url', `this connection goes to ${origin} only`);
  return parsed.pathname + parsed.search;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

/** Bodies that no client reads bit by bit are collected: JSON, and those that are empty. */
export function isStreamed(status: number, headers: AnswerHeaders): boolean {
  if (status === 204 || status === 304 || headers['content-length'] === '0') return false;
  const type = headers['content-type'];
  return typeof type !== 'string' || !JSON_TYPE.test(type);
}

/** Headers that belong to the connection and not to its user. Nothing here decompresses, so nothing asks for it. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** Names and values in turn, without those that belong to the connection. */
export function headerList(headers: RequestInit['headers'], contentType?: string | undefined): string[] {
  // Without it a server may choose any encoding (RFC 9110, section 12.5.3).
  const list = ['accept-encoding', 'identity'];
  let typed = contentType === undefined;
  for (const [name, value] of headerPairs(headers)) {
    if (OWN_HEADERS.has(name.toLowerCase())) continue;
    list.push(name, value);
    typed ||= name.toLowerCase() === 'content-type';
  }
  if (!typed && contentType !== undefined) list.push('content-type', contentType);
  return list;
}

function headerPairs(headers: RequestInit['headers']): Iterable<readonly [string, string]> {
  if (headers === undefined) return [];
  if (typeof (headers as Headers).entries === 'function' && !Array.isArray(headers)) {
    return (headers as Headers).entries();
  }
  return new Headers(headers).entries();
}

interface Encoded {
  readonly bytes?: Uint8Array | undefined;
  readonly contentType?: string | undefined;
}

/** Encodes a body once, to bytes that can be sent again. Forms, blobs and streams go through the web's `Response`. */
async function bodyBytes(body: RequestInit['body']): Promise<Encoded> {
  if (body === undefined || body === null) return {};
  if (typeof body === 'string') return { bytes: Buffer.from(body), contentType: 'text/plain;charset=UTF-8' };
  if (ArrayBuffer.isView(body))
    return { bytes: new Uint8Array(body.buffer, body.byteOffset, body.byteLength) };
  const response = new Response(body);
  const contentType = response.headers.get('content-type') ?? undefined;
  return { bytes: new Uint8Array(await response.arrayBuffer()), contentType };
}

function webResponse({ status, statusText, headers, body }: StreamedAnswer): Response {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') pairs.push([name, value]);
    else for (const entry of value ?? []) pairs.push([name, entry]);
  }
  return new Response(body, { status, statusText, headers: pairs });
}

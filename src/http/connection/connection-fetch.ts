import { InputError } from '../../errors/index.ts';
import { type OutgoingBody, outgoingBody } from '../encoding/request-body.ts';
import type { HttpConnection } from './http-connection.ts';
import { isBodyless, isStreamed } from './http-message.ts';
import { WebResponse } from './web-response.ts';

/** A `fetch` on one connection. */
export type ConnectionFetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * Makes a `fetch` whose requests all use this connection. A JSON answer arrives whole, so that a caller's deadline
 * covers headers and body, unless the request asks for a stream. Everything else is streamed. Redirects are not
 * followed, and another origin is refused, because a key must not be sent there.
 */
export function connectionFetch(connection: HttpConnection): ConnectionFetch {
  const { origin } = connection;
  return async (input, given = {}) => {
    const isRequest = typeof input !== 'string' && !(input instanceof URL);
    const url = typeof input === 'string' ? input : isRequest ? input.url : input.href;
    const init: RequestInit = isRequest ? { ...partsOf(input), ...given } : given;
    const method = init.method ?? 'GET';
    const { body, contentType } = encoded(init.body);
    const asksForStream = isStreamAsked(init.body);
    const answer = await connection.send(
      {
        method,
        path: pathOn(origin, url),
        headers: headerList(init.headers, contentType),
        body,
        signal: init.signal ?? undefined,
      },
      (status, headers) =>
        !isBodyless(method, status) && ((asksForStream && isOk(status)) || isStreamed(status, headers)),
    );
    return new WebResponse(answer, url, method);
  };
}

const isOk = (status: number): boolean => status >= 200 && status < 300;

function partsOf({ method, headers, signal, body }: Request): RequestInit {
  return { method, headers, signal, body };
}

/** The path and query of a URL of that origin. @throws `DESCRIBE_INPUT_INVALID` for another one. */
export function pathOn(origin: string, url: string): string {
  if (url.startsWith(origin) && url.charCodeAt(origin.length) === 0x2f && !url.includes('#')) {
    return url.slice(origin.length);
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.origin !== origin)
    throw new InputError(
      'url',
      `must be of ${origin}, to which this connection goes; got ${parsed === undefined ? 'no URL' : 'another origin'}`,
    );
  return parsed.pathname + parsed.search;
}

/** Headers that the connection sets, not its user. Compression is not requested, because answers are small. */
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

/** Names and values alternating, without those that belong to the connection. */
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

function encoded(body: unknown): Partial<OutgoingBody> {
  if (body === undefined || body === null) return {};
  // `fetch` sends any other value as its string.
  return outgoingBody(body) ?? outgoingBody(String(body)) ?? {};
}

/** The flag as JSON writes it. Inside a string its quotes would be escaped. */
const STREAM_FLAG = '"stream":true';

/** Whether a request asks for a streamed answer, in the form of the OpenAI API. */
function isStreamAsked(body: unknown): boolean {
  if (typeof body === 'string') return body.includes(STREAM_FLAG);
  if (body instanceof FormData) return body.get('stream') === 'true';
  if (!ArrayBuffer.isView(body)) return false;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(STREAM_FLAG);
}

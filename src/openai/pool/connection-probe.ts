import { UpstreamError } from '../../errors/index.ts';
import { headerList, pathOn } from '../../http/connection/connection-fetch.ts';
import { type HttpRequest, textOfBytes } from '../../http/connection/http-message.ts';
import { ReadOnlyHeaders } from '../../http/connection/web-headers.ts';
import { jsonOf } from '../../internal/upstream/json-of.ts';
import { builtWith } from '../exchange/send-exchange.ts';
import type { OpenAIConnection } from './openai-connection.ts';

/**
 * `alive`: the API answered. `unauthorized`: it refused the key. `dead`: no answer came. `keyless`: nothing was sent.
 */
export type ProbeVerdict =
  | { readonly kind: 'alive' }
  | { readonly kind: 'unauthorized'; readonly error: unknown }
  | { readonly kind: 'dead'; readonly error: unknown }
  | { readonly kind: 'keyless'; readonly error: unknown };

/**
 * Requests the list of models, the cheapest authenticated call. Any answer but 401 proves the connection. A compatible
 * server may have no such list, a restricted key may not read it, and an overloaded API needs no other connection.
 */
export async function probe(
  { client, http, key: source }: OpenAIConnection,
  options: Pick<HttpRequest, 'signal' | 'timeoutMs' | 'background'>,
): Promise<ProbeVerdict> {
  const { APIConnectionError, APIError } = await import('openai');
  let key: string | null = null;
  try {
    if (source !== undefined) key = await source.get(options.signal);
  } catch (error) {
    return { kind: 'keyless', error };
  }
  try {
    const { req, url } = await builtWith(client, source, key, () =>
      client.buildRequest({ method: 'get', path: '/models' }),
    );
    // Not through the client, whose timer would hold the process.
    const path = pathOn(http.origin, url);
    const answer = await http.send({ method: 'GET', path, headers: headerList(req.headers), ...options });
    if (answer.status !== 401) return { kind: 'alive' };
    const headers = new ReadOnlyHeaders(answer.headers) as unknown as Headers;
    return {
      kind: 'unauthorized',
      error: APIError.generate(401, jsonOf(textOfBytes(answer.body)), undefined, headers),
    };
  } catch (cause) {
    return { kind: 'dead', error: new APIConnectionError({ cause: cause as Error }) };
  }
}

/** The error of a pool whose key was refused. It does not quote the API's message, which repeats a part of the key. */
export function refusedKey(error: unknown, retryAfterMs: number): UpstreamError {
  const { code, type, requestID } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const upstreamCode = plainWord(code) ?? plainWord(type);
  const cause = new Error(upstreamCode === undefined ? '401' : `401 ${upstreamCode}`);
  cause.name = 'AuthenticationError';
  return new UpstreamError('DESCRIBE_AUTH', 'the API refused the key of this connection pool', {
    cause: Object.assign(cause, { status: 401, code: plainWord(code), type: plainWord(type) }),
    status: 401,
    retryAfterMs,
    upstreamCode,
    requestId: plainWord(requestID),
  });
}

/** Codes and ids are single words; a longer text could hold anything. */
const plainWord = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) && !/^sk-/i.test(value) ? value : undefined;

import { UpstreamError } from '../../errors/index.ts';
import { ask, type ConnectionQuestion } from '../../http/connection/connection-fetch.ts';
import { ThinHeaders } from '../../http/connection/thin-headers.ts';
import { textOfBytes } from '../../http/encoding/text-of-bytes.ts';
import { builtWith } from './api-key.ts';
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
 * Asks for the list of models, the cheapest authenticated call there is. Any answer but 401 proves the connection: a
 * compatible server may know no such list, a restricted key may not read it, and an overloaded API gets no better by
 * another connection.
 */
export async function probe(
  { client, http, key: source }: OpenAIConnection,
  options: Omit<ConnectionQuestion, 'headers'>,
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
    // Past the client, whose timer holds the process.
    const answer = await ask(http, url, { headers: req.headers, ...options });
    if (answer.status !== 401) return { kind: 'alive' };
    const headers = new ThinHeaders(answer.headers) as unknown as Headers;
    return { kind: 'unauthorized', error: APIError.generate(401, jsonOf(answer.body), undefined, headers) };
  } catch (cause) {
    return { kind: 'dead', error: new APIConnectionError({ cause: cause as Error }) };
  }
}

function jsonOf(body: Buffer): object | undefined {
  try {
    return JSON.parse(textOfBytes(body)) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a pool whose key was refused answers until it asks again: nothing of the API's message, which repeats a part of
 * the key.
 */
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

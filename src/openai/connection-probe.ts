import { UpstreamError } from '../errors/index.ts';
import type { OpenAIConnection } from './openai-connection.ts';

/** `alive`: the API answered. `unauthorized`: it refused the key. `dead`: no answer came. */
export type ProbeVerdict =
  | { readonly kind: 'alive' }
  | { readonly kind: 'unauthorized'; readonly error: unknown }
  | { readonly kind: 'dead'; readonly error: unknown };

/**
 * Asks for the list of models, the cheapest authenticated call there is. Any answer but 401 proves the connection: a
 * compatible server may know no such list, a restricted key may not read it, and an overloaded API gets no better by
 * another connection.
 */
export async function probe(
  { client }: OpenAIConnection,
  { signal, timeoutMs }: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
): Promise<ProbeVerdict> {
  try {
    await client.get('/models', {
      timeout: timeoutMs,
      maxRetries: 0,
      ...(signal !== undefined && { signal }),
    });
    return { kind: 'alive' };
  } catch (error) {
    const { status, name } = (error ?? {}) as { readonly status?: unknown; readonly name?: unknown };
    if (status === 401) return { kind: 'unauthorized', error };
    // JSON that does not parse is an answer too.
    return typeof status === 'number' || name === 'SyntaxError' ? { kind: 'alive' } : { kind: 'dead', error };
  }
}

/** What a pool whose key was refused answers to everybody: nothing of the API's message, which repeats a part of the key. */
export function refusedKey(error: unknown): UpstreamError {
  const { code, type, requestID } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const upstreamCode = plainWord(code) ?? plainWord(type);
  const cause = new Error(upstreamCode === undefined ? '401' : `401 ${upstreamCode}`);
  cause.name = (error as object | null)?.constructor?.name ?? 'Error';
  return new UpstreamError('DESCRIBE_AUTH', 'the API refused the key of this connection pool', {
    cause: Object.assign(cause, { status: 401, code: plainWord(code), type: plainWord(type) }),
    status: 401,
    upstreamCode,
    requestId: plainWord(requestID),
  });
}

/** Codes and ids are single words; a longer text could hold anything. */
const plainWord = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) && !/^sk-/i.test(value) ? value : undefined;

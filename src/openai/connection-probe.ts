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
    const status = (error as { readonly status?: unknown } | null)?.status;
    if (status === 401) return { kind: 'unauthorized', error };
    return typeof status === 'number' ? { kind: 'alive' } : { kind: 'dead', error };
  }
}

/** What a pool whose key was refused answers to everybody. */
export function refusedKey(cause: unknown): UpstreamError {
  return new UpstreamError('DESCRIBE_AUTH', 'the API refused the key of this connection pool', {
    cause,
    status: 401,
  });
}

import type OpenAI from 'openai';
import type { OpenAIConnectionPool } from '../openai/index.ts';

type Create = (body: never, options: { readonly signal: AbortSignal }) => unknown;

/** A pool without a network, whose chat completions this function makes. */
export function stubPool(create: Create): OpenAIConnectionPool {
  return poolOf({ apiKey: 'k', chat: { completions: { create } } } as unknown as OpenAI);
}

/** A user's own pool, of one client. */
export const poolOf = (client: OpenAI): OpenAIConnectionPool =>
  ({
    use: (run: (client: OpenAI) => unknown) => run(client),
    warmUp: async () => {},
    getStats: () => ({ maxSize: 100 }),
    close: async () => {},
    destroy: async () => {},
  }) as unknown as OpenAIConnectionPool;

import { OpenAIConnectionPool } from '../openai/index.ts';
import type { EndpointDescription } from './options/endpoint-options.ts';

const pools: OpenAIConnectionPool[] = [];

/** Makes pools of a test's server that count as public, so that URLs are passed on. */
export function publicPool({ apiKey, baseURL }: EndpointDescription): OpenAIConnectionPool {
  const pool = new OpenAIConnectionPool(apiKey, baseURL);
  pools.push(pool);
  const ownStats = pool.getStats.bind(pool);
  const getStats: typeof pool.getStats = () => ({ ...ownStats(), origin: 'https://api.example.com' });
  return Object.assign(pool, { getStats });
}

/** Closes these pools: no client closes pools that it did not make. */
export async function closePublicPools(): Promise<void> {
  for (const pool of pools.splice(0)) await pool.destroy();
}

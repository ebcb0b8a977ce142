import { expect } from 'vitest';
import type { RedisCache } from './redis-cache.ts';

/**
 * Resolves with the caches once they use their Redis and get messages. Operations themselves wait only 500 ms for that.
 */
export async function whenConnected<Caches extends readonly RedisCache[]>(...caches: Caches): Promise<Caches> {
  await Promise.all(caches.map((cache) => cache.has('nothing')));
  for (const cache of caches) {
    await expect.poll(() => cache.health().redis).toMatchObject({ state: 'ready', subscribed: true });
  }
  return caches;
}

import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';

/** A Redis for all tests of a `describe`, and the caches that a test opens on it. They close after the test. */
export function startRedisForCaches() {
  let started: { readonly server: RedisServer; readonly raw: Redis } | undefined;
  const open: RedisCache[] = [];
  let prefixes = 0;
  beforeAll(async () => {
    const server = await startRedisServer();
    started = { server, raw: new Redis(server.url) };
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((cache) => cache.close()));
  });
  afterAll(async () => {
    started?.raw.disconnect();
    await started?.server.stop();
  });
  const running = () => {
    if (started === undefined) throw new Error('Redis runs only within a test');
    return started;
  };
  return {
    get server() {
      return running().server;
    },
    /** A client of the test's own, beside the caches. */
    get raw() {
      return running().raw;
    },
    /** The value that `newPrefix()` gave last. */
    get prefix() {
      return `test${prefixes}:`;
    },
    newPrefix() {
      prefixes += 1;
      return `test${prefixes}:`;
    },
    connect(options: RedisCacheOptions = {}) {
      const url = options.client === undefined ? running().server.url : undefined;
      const cache = new RedisCache({ url, operationTimeoutMs: 1_000, ...options });
      open.push(cache);
      return cache;
    },
    /** Resolves when messages of other caches arrive. */
    hears: (cache: RedisCache) => expect.poll(() => cache.health().redis?.subscribed).toBe(true),
  };
}

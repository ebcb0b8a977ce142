import keyvTestSuite from '@keyv/test-suite';
import Keyv from 'keyv';
import * as vitest from 'vitest';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { createKeyvStore } from './keyv-store.ts';
import { RedisCache } from './redis-cache.ts';

// The suite brings an older vitest. The parts that it uses have not changed.
const suiteVitest = vitest as unknown as Parameters<typeof keyvTestSuite>[0];
const { afterAll, beforeAll, describe, expect, it } = vitest;

describe('a Keyv store in memory only', () => {
  const cache = new RedisCache();
  keyvTestSuite(suiteVitest, Keyv, () => createKeyvStore(cache));

  it('clears its own namespace and nothing else of the cache', async () => {
    const keyv = new Keyv({ store: createKeyvStore(cache), namespace: 'pages' });
    await keyv.set('key', 1);
    await cache.set('other', 2);
    await keyv.clear();
    expect(await keyv.get('key')).toBeUndefined();
    expect(await cache.get('other')).toBe(2);
  });
});

describe.runIf(findRedisServer())('a Keyv store over Redis', () => {
  let server: RedisServer;
  let cache: RedisCache;
  beforeAll(async () => {
    server = await startRedisServer();
    cache = new RedisCache({ url: server.url, operationTimeoutMs: 1_000 });
  });
  afterAll(async () => {
    await cache.close();
    await server.stop();
  });
  keyvTestSuite(suiteVitest, Keyv, () => createKeyvStore(cache));
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { RedisCache } from './redis-cache.ts';
import { redisScriptOf } from './redis-script.ts';
import { whenConnected } from './when-connected.fixture.ts';

const COUNT = "return { redis.call('INCRBY', KEYS[1], ARGV[1]), KEYS[1] }";

const operationTimeoutMs = 1_000;

describe.runIf(findRedisServer())('redisScriptOf', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  it('runs a script on the Redis of a cache, behind its prefix', async () => {
    const [cache] = await whenConnected(new RedisCache({ url: server.url, operationTimeoutMs, keyPrefix: 'mine:' }));
    const script = redisScriptOf(cache);
    expect(await script?.run(COUNT, ['count'], [2])).toEqual([2, 'mine:count']);
    expect(await script?.run(COUNT, ['count'], [3])).toEqual([5, 'mine:count']);
    await cache.close();
  });

  it('is not there where a cache has no Redis', async () => {
    const cache = new RedisCache();
    expect(redisScriptOf(cache)).toBeUndefined();
    await cache.close();
  });

  it('rejects what Redis refuses', async () => {
    const [cache] = await whenConnected(new RedisCache({ url: server.url, operationTimeoutMs }));
    const script = redisScriptOf(cache);
    await expect(script?.run('no script', ['key'], [])).rejects.toMatchObject({ code: 'DESCRIBE_CACHE' });
    await expect(script?.run('return 1', ['key'], [])).rejects.toMatchObject({ code: 'DESCRIBE_CACHE' });
    await cache.close();
  });

  it('rejects in time while Redis hangs, at once while it is known to be away, and after its end', async () => {
    const [cache] = await whenConnected(new RedisCache({ url: server.url, operationTimeoutMs }));
    const script = redisScriptOf(cache);
    const run = () => script?.run(COUNT, ['count'], [1]);
    await run();
    server.pause();
    await expect(run()).rejects.toMatchObject({ code: 'DESCRIBE_CACHE' });
    server.resume();
    await expect.poll(() => run()?.catch(() => undefined)).toBeDefined();
    await server.kill();
    await expect(run()).rejects.toMatchObject({ code: 'DESCRIBE_CACHE' });
    await server.restart();
    await expect.poll(() => run()?.catch(() => undefined)).toBeDefined();
    await cache.close();
    await expect(run()).rejects.toMatchObject({ code: 'DESCRIBE_CACHE' });
  });
});

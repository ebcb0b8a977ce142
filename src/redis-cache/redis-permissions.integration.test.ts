import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';
import { redisScriptOf } from './redis-script.ts';

describe.runIf(findRedisServer())('a user of Redis with few permissions', () => {
  let server: RedisServer;
  let admin: Redis;
  const open: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
  });
  afterEach(async () => {
    for (const end of open.splice(0).reverse()) await end();
    await admin.flushall();
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  /** Creates a user with these rules, in place of an older one of that name. */
  const allow = (username: string, ...rules: string[]) =>
    admin.call('ACL', 'SETUSER', username, 'reset', 'on', '>pw', ...rules);
  const connect = (username: string, options: RedisCacheOptions = {}) => {
    const cache = new RedisCache({
      host: '127.0.0.1',
      port: server.port,
      username,
      password: 'pw',
      operationTimeoutMs: 1_000,
      ...options,
    });
    open.push(() => cache.close());
    return cache;
  };

  it.each([
    ['app:', ''],
    ['{app}:', ''],
    ['app:', 'all:'],
    ['app:', '{all}:'],
  ])('needs nothing outside the keyPrefix %j, below %j of its client', async (keyPrefix, clientPrefix) => {
    const name = `${clientPrefix}${keyPrefix}`;
    await allow('scoped', `~${name}*`, `&${name}*`, '+@all', '-@admin', '-@dangerous');
    const pair = [1, 2].map(() => {
      if (clientPrefix === '') return connect('scoped', { keyPrefix });
      const client = new Redis(server.port, { username: 'scoped', password: 'pw', keyPrefix: clientPrefix });
      open.push(() => client.disconnect());
      const cache = new RedisCache({ client, keyPrefix, operationTimeoutMs: 1_000 });
      open.push(() => cache.close());
      return cache;
    });
    const [one, two] = pair as [RedisCache, RedisCache];
    await Promise.all(pair.map((cache) => cache.get('warm')));
    for (const cache of pair) await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    let made = 0;
    const get = (cache: RedisCache) => cache.getOrSet('key', () => ++made, { tags: ['tag'] });
    expect([await get(one), await get(two), made]).toEqual([1, 1, 1]);
    const heard = new Promise((resolve) => two.on('invalidated', resolve));
    await one.invalidateByTags(['tag']);
    expect(await heard).toMatchObject({ by: 'another-process', tags: ['tag'] });
    expect(await get(two)).toBe(2);
    await one.set('set', 1);
    expect([await two.mget(['set', 'key']), await one.delete('set')]).toEqual([[1, 2], true]);
    const script = redisScriptOf(one);
    expect(await script?.run("redis.call('SET', KEYS[1], 1) return { 1 }", ['quota:{a}'], [])).toEqual([1]);
    expect(await one.purgeTags(['tag'])).toBe(1);
    const stats = pair.map((cache) => cache.getStats().redis);
    expect(stats.map((redis) => redis && redis.failures + redis.rejections + redis.timeouts)).toEqual([0, 0]);
  });

  it("can name an entry as another key's lease was once named", async () => {
    const cache = new RedisCache({ url: server.url, keyPrefix: '{app}:', operationTimeoutMs: 1_000 });
    open.push(() => cache.close());
    await cache.set('x:lease', 'text of a tenant');
    await cache.set('l:x', 'text of another');
    expect(await cache.getOrSetWithSource('x', () => 'made')).toEqual({ value: 'made', source: 'factory' });
  });

  /** A logger that records its calls, without the empty fields of a recovery. */
  const listening = () => {
    const heard: unknown[] = [];
    const logger = { warn: (fields: object) => heard.push(fields), info: () => heard.push('over') };
    return { heard, logger };
  };
  /** A client like another process with all permissions. */
  const connectAdmin = () => {
    const cache = new RedisCache({ url: server.url, operationTimeoutMs: 1_000 });
    open.push(() => cache.close());
    return cache;
  };

  it.each([
    ['scripts', ['~*', '&*', '+@all', '-@scripting'], 'Redis refuses EVAL (NOPERM)'],
    ['EVAL', ['~*', '&*', '+@all', '-eval'], 'Redis refuses EVAL (NOPERM)'],
    ['channels', ['~*', '+@all', 'resetchannels'], 'Redis refuses SUBSCRIBE (NOPERM), PUBLISH (NOPERM)'],
    ['SUBSCRIBE', ['~*', '&*', '+@all', '-subscribe'], 'Redis refuses SUBSCRIBE (NOPERM)'],
    ['PUBLISH', ['~*', '&*', '+@all', '-publish'], 'Redis refuses PUBLISH (NOPERM)'],
    ['UNLINK', ['~*', '&*', '+@all', '-unlink'], 'Redis refuses EVAL (NOPERM), UNLINK (NOPERM)'],
    ['SET', ['~*', '&*', '+@all', '-set'], 'Redis refuses EVAL (NOPERM), SET (NOPERM)'],
    ['GET', ['~*', '&*', '+@all', '-get'], 'Redis refuses GET (NOPERM), EVAL (NOPERM)'],
    ['GETRANGE', ['~*', '&*', '+@all', '-getrange'], 'Redis refuses GETRANGE (NOPERM)'],
    ['keys', ['~other:*', '&*', '+@all'], 'Redis refuses GETRANGE (NOPERM), EVAL (NOPERM), UNLINK (NOPERM)'],
  ])('is told of once without %s, and loses no invalidation', async (_, rules, reason) => {
    await allow('poor', ...rules);
    const { heard, logger } = listening();
    const cache = connect('poor', { logger, tagTrustMs: 50 });
    const rich = connectAdmin();
    await rich.getOrSet('key', () => 'of another', { tags: ['tag'] });
    const made = await cache.getOrSet('own', () => 'made', { tags: ['tag'] });
    await cache.set('set', 'made', 60, ['tag']);
    expect([made, await cache.getOrSet('key', () => 'made', { tags: ['tag'] })]).toEqual(['made', expect.any(String)]);
    // A lease that stays would delay the next caller.
    await expect.poll(() => admin.keys('describe_it:l:*')).toEqual([]);
    await expect.poll(() => cache.health().reason?.split(', ').sort()).toEqual(reason.split(', ').sort());
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      redis: { state: 'ready', lastError: 'NOPERM' },
    });
    await cache.invalidateByTags(['tag']);
    expect([await cache.get('own'), await cache.get('set'), await cache.get('key')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    // Another process sees the old entry only while Redis lacks the invalidation, which health reports.
    const isSeen = (await connectAdmin().get('key')) !== undefined;
    if (isSeen) expect(cache.health().redis?.pendingInvalidations).toBeGreaterThan(0);
    for (let call = 0; call < 5; call += 1) await cache.getOrSet(`more${call}`, () => call);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toEqual({ reason: expect.stringMatching(/^Redis refuses [A-Z]+ \(NOPERM\)/) });
    // None of these refusals is an outage.
    expect(cache.health().redis).toMatchObject({ circuit: 'closed', failedReconnects: 0 });

    await allow('poor', '~*', '&*', '+@all');
    await cache.set('again', 1);
    await cache.getOrSet('more', () => 1);
    await expect.poll(() => cache.health().redis?.pendingInvalidations).toBe(0);
    expect(await connectAdmin().get('key')).toBeUndefined();
  });
});

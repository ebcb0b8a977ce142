import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort, findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';

describe.runIf(findRedisServer())('a Redis as it is run', () => {
  let server: RedisServer;
  let admin: Redis;
  const open: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startRedisServer({ args: ['--databases', '2'] });
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

  const connect = (options: RedisCacheOptions) => {
    const heard: object[] = [];
    const logger = {
      warn: (fields: object) => void heard.push(fields),
      info: () => void heard.push({ over: true }),
    };
    const cache = new RedisCache({ operationTimeoutMs: 1_000, logger, ...options });
    open.push(() => cache.close());
    return { cache, heard };
  };

  it.each(['its options', 'a URL', "the user's client"])(
    'without the database that %s name is not used, and nothing is written to another',
    async (by) => {
      const { port } = server;
      const ways: Record<string, () => RedisCacheOptions> = {
        'its options': () => ({ port, db: 7 }),
        'a URL': () => ({ url: `${server.url}/7` }),
        "the user's client": () => {
          const client = new Redis({ port, db: 7 });
          client.on('error', () => {});
          open.push(() => client.disconnect());
          return { client };
        },
      };
      const { cache, heard } = connect(ways[by]?.() ?? {});
      for (let call = 0; call < 5; call += 1) await cache.getOrSet(`key${call}`, () => call);
      await expect.poll(() => cache.health().reason).toMatch(/^Redis has no database/);
      expect(cache.health()).toMatchObject({ redis: { lastError: 'NO_DATABASE' } });
      expect(heard).toEqual([{ reason: expect.stringMatching(/^Redis has no database/) }]);
      expect(await admin.dbsize()).toBe(0);
    },
  );

  it("uses the database that the user's client is on", async () => {
    const client = new Redis({ port: server.port, db: 1 });
    open.push(() => client.disconnect());
    const { cache } = connect({ client });
    await cache.set('key', 1);
    await expect.poll(() => cache.health().redis?.state).toBe('ready');
    await cache.set('key', 1);
    expect(await admin.dbsize()).toBe(0);
    expect(await client.dbsize()).toBeGreaterThan(0);
  });

  it.each(['INFO', 'HELLO', 'CLIENT'])('with %s renamed away is used', async (command) => {
    await using bare = await startRedisServer({ args: ['--rename-command', command, ''] });
    const { cache, heard } = connect({ url: bare.url });
    const other = connect({ url: bare.url }).cache;
    expect(await cache.getOrSet('key', () => 1)).toBe(1);
    expect(await other.getWithSource('key')).toEqual({ value: 1, source: 'redis' });
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    expect([cache.health().status, heard]).toEqual(['healthy', []]);
    await Promise.all([cache.close(), other.close()]);
  });

  it.each(['EVAL', 'SUBSCRIBE', 'PUBLISH', 'UNLINK'])('with %s renamed away is reported', async (command) => {
    await using bare = await startRedisServer({ args: ['--rename-command', command, ''] });
    const { cache, heard } = connect({ url: bare.url });
    expect(await cache.getOrSet('key', () => 1)).toBe(1);
    await cache.invalidateByTags(['tag']);
    await expect.poll(() => cache.health().reason).toContain(`${command} (UNKNOWN_COMMAND)`);
    expect(heard).toHaveLength(1);
    await cache.close();
  });

  it('that was never there is reported once, with the reason', async () => {
    const port = await findFreePort();
    const { cache, heard } = connect({ port });
    for (let call = 0; call < 3; call += 1) await cache.getOrSet(`key${call}`, () => call);
    await expect.poll(() => cache.health().redis?.failedReconnects).toBeGreaterThan(3);
    const reason = 'Redis was never reached (ECONNREFUSED)';
    expect(cache.health()).toMatchObject({ status: 'unhealthy', reason });
    expect(heard).toEqual([{ reason }]);
    await using late = await startRedisServer({ port });
    await expect.poll(() => cache.health(), { timeout: 10_000 }).toMatchObject({ status: 'healthy' });
    expect(cache.health().reason).toBeUndefined();
    expect(heard).toEqual([{ reason }, { over: true }]);
    await cache.close();
    await late.stop();
  });

  it('with a wrong password is reported once, with the reason', async () => {
    const { cache, heard } = connect({ port: server.port, username: 'nobody', password: 'wrong' });
    await cache.get('key');
    await expect.poll(() => cache.health().reason).toBe('Redis was never reached (WRONGPASS)');
    expect(heard).toEqual([{ reason: 'Redis was never reached (WRONGPASS)' }]);
  });

  /** Connects to a server that does this to each connection, lets it fail some times, and returns the reports. */
  const heardOf = async (onSocket: (socket: Socket) => void) => {
    const other = createServer((socket) => onSocket(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(other, 'listening');
    open.push(() => other.close());
    const { cache, heard } = connect({ port: (other.address() as AddressInfo).port });
    for (let call = 0; call < 5; call += 1) {
      await cache.getOrSet(`key${call}`, () => call);
      await expect.poll(() => cache.health().redis?.failedReconnects).toBeGreaterThan(call);
      expect(cache.health().status).not.toBe('healthy');
    }
    return heard;
  };

  it.each([
    ['speaks HTTP', (socket: Socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['speaks first, and no Redis', (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n')],
  ])('that %s is reported once, as never reached', async (_, onSocket) => {
    expect(await heardOf(onSocket)).toEqual([{ reason: 'Redis was never reached (PROTOCOL_ERROR)' }]);
  });

  it('that asks for a password is reported once, as never reached', async () => {
    const refuse = (socket: Socket) =>
      socket.on('data', (commands) => {
        for (const _ of String(commands).matchAll(/^\*\d/gm)) socket.write('-NOAUTH Authentication required.\r\n');
      });
    expect(await heardOf(refuse)).toEqual([{ reason: 'Redis was never reached (NOAUTH)' }]);
  });

  it('that takes connections and drops them is reported once, as never reached', async () => {
    expect(await heardOf((socket) => socket.destroy())).toEqual([
      { reason: expect.stringMatching(/^Redis was never reached \((?!Error)/) },
    ]);
  });

  it('that hangs is reported once, with the reason', async () => {
    await using hung = await startRedisServer();
    const { cache, heard } = connect({ url: hung.url, operationTimeoutMs: 20 });
    await cache.set('key', 1);
    await expect.poll(() => cache.health().redis?.state).toBe('ready');
    hung.pause();
    for (let call = 0; call < 5; call += 1) await cache.get(`key${call}`);
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      reason: 'Redis fails: read had no answer in time',
    });
    expect(heard).toHaveLength(1);
    hung.resume();
    await cache.close();
  });

  it('that a closed client of the user leads to is reported', async () => {
    const client = new Redis(server.port);
    await client.quit();
    await expect.poll(() => client.status).toBe('end');
    const { cache, heard } = connect({ client });
    await cache.get('key');
    expect(cache.health().reason).toBe('Redis was never reached (CLIENT_ENDED)');
    expect(heard).toHaveLength(1);
  });
});

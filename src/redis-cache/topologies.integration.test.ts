import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { findRedisServer, startRedisServer } from '../testing/redis-server.ts';
import { startRedisCluster, startRedisSentinel } from '../testing/redis-topologies.ts';
import { RedisCache } from './redis-cache.ts';
import { whenConnected } from './when-connected.fixture.ts';

const names = Array.from({ length: 60 }, (_, index) => `key${index}`);
/** Longer than any operation takes while other processes keep the cores busy. */
const operationTimeoutMs = 3_000;

describe.runIf(findRedisServer())('RedisCache on other topologies', () => {
  it('works over a Cluster, loses only what a dead node held, and recovers', async () => {
    await using cluster = await startRedisCluster(3);
    const options = { cluster: cluster.addresses, operationTimeoutMs, tagTrustMs: 20 };
    await using one = new RedisCache(options);
    await using two = new RedisCache(options);
    await whenConnected(one, two);
    await one.mset(names.map((key, n) => ({ key, data: n, tags: [`tag${n % 3}`, 'all'] })));
    await one.set('in {braces}', 1);
    expect(await two.mget(names)).toEqual(names.map((_, n) => n));
    expect(await two.get('in {braces}')).toBe(1);
    expect(await two.getOrSetWithSource('made', () => 'once')).toEqual({ value: 'once', source: 'factory' });
    expect(await one.getOrSetWithSource('made', () => 'twice')).toEqual({ value: 'once', source: 'redis' });
    await one.invalidateByTags(['tag1']);
    await expect.poll(() => two.mget(names)).toEqual(names.map((_, n) => (n % 3 === 1 ? undefined : n)));
    expect(await two.purgeTags(['tag2'])).toBe(20);

    await cluster.nodes[0]?.kill();
    const values = await one.mget(names.slice(0, 10));
    expect(values).toHaveLength(10);
    expect(await one.getOrSet('during', () => 'made')).toBe('made');
    await cluster.nodes[0]?.restart();
    const recovered = async () => {
      await one.set('after', 1);
      return (await two.get('after')) === 1 && one.health().status;
    };
    await expect.poll(recovered).toBe('healthy');
  });

  it('believes nothing from memory after a Cluster lost its subscription', async () => {
    await using cluster = await startRedisCluster(3);
    const nodes = cluster.nodes.map(({ url }) => new Redis(url));
    const options = { cluster: cluster.addresses, operationTimeoutMs, tagTrustMs: 60_000 };
    await using one = new RedisCache(options);
    const sourceOf = async () => (await one.getWithSource('key'))?.source;
    await whenConnected(one);
    await one.set('key', 1, 60, ['tag']);
    await expect.poll(sourceOf).toBe('memory');
    for (const node of nodes) await node.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(sourceOf).toBe('redis');

    await using two = new RedisCache(options);
    await whenConnected(one, two);
    await expect.poll(sourceOf).toBe('memory');
    await two.invalidateByTags(['tag']);
    await expect.poll(() => one.get('key')).toBeUndefined();
    for (const node of nodes) node.disconnect();
  });

  it('shares work over a Cluster client of the user, whatever that puts before names', async () => {
    await using cluster = await startRedisCluster(3);
    for (const keyPrefix of ['all:', '{all}:']) {
      const clientOf = () => new Cluster([...cluster.addresses], { keyPrefix });
      const clients = [clientOf(), clientOf()] as const;
      const cacheOf = (client: Cluster) => new RedisCache({ client, operationTimeoutMs });
      const [one, two] = await whenConnected(cacheOf(clients[0]), cacheOf(clients[1]));
      expect(await one.getOrSet('key', () => 'once', { tags: ['tag'] })).toBe('once');
      expect(await two.getOrSet('key', () => 'twice', { tags: ['tag'] })).toBe('once');
      expect(await one.purgeTags(['tag'])).toBe(1);
      await Promise.all([one.close(), two.close()]);
      for (const client of clients) client.disconnect();
    }
  });

  it('waits for a Sentinel that comes later', async () => {
    await using setup = await startRedisSentinel();
    await setup.sentinel.kill();
    const sentinels = [{ host: setup.sentinel.host, port: setup.sentinel.port }];
    await using cache = new RedisCache({ sentinels, operationTimeoutMs });
    expect(await cache.get('key')).toBeUndefined();
    await setup.sentinel.restart();
    await expect.poll(() => cache.health().redis?.state).toBe('ready');
    await cache.set('key', 1);
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
  });

  it('asks a Sentinel for the master that sentinelName names', async () => {
    await using setup = await startRedisSentinel('gallery');
    const sentinels = [{ host: setup.sentinel.host, port: setup.sentinel.port }];
    await using cache = new RedisCache({ sentinels, sentinelName: 'gallery', operationTimeoutMs });
    await whenConnected(cache);
    expect(cache.health().redis?.state).toBe('ready');
  });

  it('asks the next Sentinel where one hangs', async () => {
    await using setup = await startRedisSentinel();
    await using hung = await startRedisServer();
    hung.pause();
    const sentinels = [hung, setup.sentinel].map(({ host, port }) => ({ host, port }));
    await using cache = new RedisCache({ sentinels, operationTimeoutMs });
    expect(await cache.get('key')).toBeUndefined();
    await whenConnected(cache);
    expect(cache.health().status).toBe('healthy');
  });

  it('blames no Sentinel for a master that is away', async () => {
    await using setup = await startRedisSentinel();
    const sentinels = [{ host: setup.sentinel.host, port: setup.sentinel.port }];
    await using cache = new RedisCache({ sentinels, operationTimeoutMs });
    await whenConnected(cache);
    const reasons = new Set<string | undefined>();
    await setup.master.kill();
    const status = () => {
      reasons.add(cache.health().redis?.lastError);
      return cache.health().status;
    };
    await expect.poll(status, { interval: 1 }).toBe('unhealthy');
    expect(reasons).toContain('ECONNREFUSED');
    expect(reasons).not.toContain('SENTINELS_UNREACHABLE');
  });

  it('follows a failover through Sentinel', async () => {
    await using setup = await startRedisSentinel();
    const sentinels = [{ host: setup.sentinel.host, port: setup.sentinel.port }];
    await using cache = new RedisCache({ sentinels, operationTimeoutMs, tagTrustMs: 20 });
    await whenConnected(cache);
    await cache.set('key', 1, 60, ['tag']);
    await setup.failOver();
    const replica = new Redis(setup.replica.url);
    const readable = async () => {
      await cache.set('key', 2, 60, ['tag']);
      const text = await replica.get('describe_it:e:key');
      return text?.endsWith('\n2') && (await cache.get('key')) === 2 && cache.health().status;
    };
    await expect.poll(readable).toBe('healthy');
    replica.disconnect();
  });

  it('connects with a password, and says so when it is wrong', async () => {
    await using server = await startRedisServer({ args: ['--requirepass', 'right'] });
    const { host, port } = server;
    await using right = new RedisCache({
      url: `redis://:wrong@${host}:${port}/2`,
      password: 'right',
      operationTimeoutMs,
    });
    await whenConnected(right);
    await right.set('key', 1);
    const raw = new Redis({ host, port, password: 'right', db: 2 });
    expect(await raw.exists('describe_it:e:key')).toBe(1);
    raw.disconnect();

    await using wrong = new RedisCache({ host, port, password: 'wrong' });
    expect(await wrong.getOrSet('key', () => 'made')).toBe('made');
    await expect
      .poll(() => wrong.health())
      .toMatchObject({
        status: 'unhealthy',
        redis: { lastError: 'WRONGPASS' },
      });
    expect(JSON.stringify([wrong.health(), wrong.getStats()])).not.toContain('wrong');
  });
});

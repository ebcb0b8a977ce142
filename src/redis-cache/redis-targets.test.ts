import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';

const made = vi.hoisted((): unknown[][] => []);

// The drivers write down what they are made with, and connect to nothing.
vi.mock(import('./redis/load-driver.ts'), async () => {
  const { Redis, Cluster } = await import('ioredis');
  const refuse = () => Promise.reject(new Error('no network in this test'));
  class NotedRedis extends Redis {
    constructor(...given: unknown[]) {
      super({ lazyConnect: true });
      made.push(given);
    }
    override connect = refuse;
  }
  class NotedCluster extends Cluster {
    constructor(...given: unknown[]) {
      super([], { lazyConnect: true });
      made.push(given);
    }
    override connect = refuse;
  }
  return { loadDriver: async () => ({ Redis: NotedRedis, Cluster: NotedCluster }) as never };
});

describe('the Redis that a cache connects to', () => {
  const open: RedisCache[] = [];
  afterEach(async () => {
    for (const cache of open.splice(0)) await cache.close();
    made.length = 0;
  });
  const connected = async (options: RedisCacheOptions): Promise<unknown[]> => {
    const cache = new RedisCache(options);
    open.push(cache);
    await cache.get('key');
    return made[0] ?? [];
  };
  const tls = { servername: 'redis.example' };
  const nodes = [{ host: 'node.example', port: 7 }];

  it('is that of host, port, username, password, db, family and tls', async () => {
    const server = { host: 'h.example', port: 7, username: 'u', password: 'p', db: 3, family: 6, tls } as const;
    expect(await connected(server)).toMatchObject([server]);
  });

  it('is that of url', async () => {
    expect(await connected({ url: 'redis://h.example:7/3' })).toMatchObject([{ host: 'h.example', port: 7, db: 3 }]);
  });

  it('is the master that sentinels know by sentinelName', async () => {
    const asked = await connected({ sentinels: nodes, sentinelName: 'gallery' });
    expect(asked).toMatchObject([{ sentinels: nodes, name: 'gallery' }]);
  });

  it('is the cluster of these nodes', async () => {
    expect((await connected({ cluster: nodes }))[0]).toEqual(nodes);
  });
});

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { findRedisServer, startRedisServer } from '../../../src/testing/redis-server.ts';
import type { Service, ServiceUrls } from '../define-bench.ts';

export interface RunningServices {
  readonly urls: ServiceUrls;
  /** Why a service is absent. */
  readonly missing: ReadonlyMap<Service, string>;
  stop(): Promise<void>;
}

/** Starts each service once for the whole run: both builds then talk to the same process. */
export async function startServices(needed: ReadonlySet<Service>): Promise<RunningServices> {
  const urls: { [Name in Service]?: string } = {};
  const missing = new Map<Service, string>();
  const stops: (() => Promise<void>)[] = [];
  if (needed.has('openai')) {
    const child = fork(new URL('../../openai-transport-server.ts', import.meta.url));
    stops.push(async () => {
      child.disconnect();
      await once(child, 'exit');
    });
    const [address] = (await once(child, 'message')) as [{ readonly port: number }];
    urls.openai = `http://127.0.0.1:${address.port}/v1`;
  }
  if (needed.has('redis')) {
    if (findRedisServer() === undefined) {
      missing.set('redis', 'there is no redis-server; install it, or set REDIS_SERVER to its path');
    } else {
      const redis = await startRedisServer();
      stops.push(() => redis.stop());
      urls.redis = redis.url;
    }
  }
  return {
    urls,
    missing,
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

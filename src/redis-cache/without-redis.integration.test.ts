import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { startRedisCluster } from '../testing/redis-topologies.ts';

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** For scripts that look again and again: how long something takes depends on the load of the machine. */
const SLEEP = 'const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));';

/** Runs a script in a process of its own, and returns its last line once it has ended by itself. */
async function run(script: string, module = join(FOLDER, 'index.ts'), env: NodeJS.ProcessEnv = {}): Promise<string> {
  const text = `const { RedisCache, getCache } = await import(${JSON.stringify(module)});\n${SLEEP}\n${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  return output.trim();
}

describe('without a Redis to talk to', () => {
  it('loads neither ioredis nor anything else until Redis is used', async () => {
    const script = `
      const { createRequire } = await import('node:module');
      const loaded = Object.keys(createRequire('/').cache).filter((name) => name.includes('ioredis'));
      await new RedisCache().set('key', 1);
      console.log(loaded.length);`;
    expect(await run(script)).toBe('0');
  });

  it('lets the process end while it tries to reconnect', async () => {
    const script = `
      const cache = new RedisCache({ host: '127.0.0.1', port: 1 });
      await cache.set('key', 1);
      while (!cache.health().redis.lastError || cache.health().redis.state !== 'reconnecting') await sleep(10);
      console.log(cache.health().redis.state, cache.health().redis.lastError);`;
    expect(await run(script)).toBe('reconnecting ECONNREFUSED');
  });

  it('rejects with the reason of an unsent command when strict', async () => {
    const script = `
      const cache = new RedisCache({ host: '127.0.0.1', port: 1, strict: true });
      const message = () => cache.get('key').catch((error) => error.message);
      // A connection that is refused late has not given its reason yet.
      while ((await message()) === 'Redis read: unavailable') await sleep(10);
      console.log(await message());`;
    expect(await run(script)).toBe('Redis read: unavailable (ECONNREFUSED)');
  });

  it('logs no recovery when it is closed', async () => {
    const script = `
      const heard = [];
      const logger = { warn: (_, text) => heard.push(text), info: (_, text) => heard.push(text) };
      const cache = new RedisCache({ host: '127.0.0.1', port: 1, logger });
      await cache.set('key', 1);
      while (heard.length === 0) await sleep(10);
      await cache.close();
      console.log(heard.join());`;
    expect(await run(script)).toBe("the cache can't use Redis as it should");
  });

  it('is unhealthy where no Sentinel answers, and delays no caller', async () => {
    const script = `
      const cache = new RedisCache({ sentinels: [{ host: '127.0.0.1', port: 1 }], maxRetries: 2 });
      const value = await cache.get('key');
      while (cache.health().status !== 'unhealthy') await sleep(20);
      console.log(value, cache.health().redis.lastError);`;
    expect(await run(script)).toBe('undefined SENTINELS_UNREACHABLE');
  });

  it.runIf(findRedisServer())('lets the process end where a Sentinel hangs', async () => {
    await using hung = await startRedisServer();
    hung.pause();
    const script = `
      const cache = new RedisCache({ sentinels: [{ host: '127.0.0.1', port: ${hung.port} }] });
      await cache.get('key');
      await cache.close();
      console.log('closed');`;
    expect(await run(script)).toBe('closed');
  });

  it('lets the process end at once when it was closed', async () => {
    const script = `
      const started = [];
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs);
        started.push({ timer, delayMs });
        return timer;
      };
      const cache = new RedisCache({ host: '127.0.0.1', port: 1 });
      await cache.set('key', 1);
      await cache.close();
      const kept = started.filter(({ timer }) => timer.hasRef() && !timer._destroyed);
      console.log(Math.max(0, ...kept.map(({ delayMs }) => delayMs)));`;
    // ioredis waits 50 ms for each of its sockets to close.
    expect(Number(await run(script))).toBeLessThanOrEqual(50);
  });

  describe('and without ioredis', () => {
    let folder: string;
    beforeAll(() => {
      // A copy of the sources in a folder where no package is found except the needed one.
      folder = mkdtempSync(join(tmpdir(), 'describe-it-driver-'));
      cpSync(join(FOLDER, '..'), join(folder, 'src'), { recursive: true });
      for (const name of ['opossum']) {
        cpSync(join(FOLDER, '../../node_modules', name), join(folder, 'node_modules', name), {
          recursive: true,
        });
      }
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const module = () => join(folder, 'src/redis-cache/index.ts');

    it('rejects with what to install where Redis was named', async () => {
      const script = `
        const cache = new RedisCache({ host: '127.0.0.1' });
        const errors = await Promise.all([cache.get('key'), cache.getOrSet('key', () => 1)].map((work) => work.catch((error) => error)));
        console.log(errors.map(({ code }) => code).join(), errors[0].message.includes('npm install ioredis'), cache.health().status);`;
      expect(await run(script, module())).toBe('DESCRIBE_CONFIG_INVALID,DESCRIBE_CONFIG_INVALID true unhealthy');
    });

    it('works in memory where only the environment named it, and says so', async () => {
      const script = `
        const cache = getCache();
        await cache.set('key', 1, 60, ['tag']);
        const before = await cache.get('key');
        await cache.invalidateByTags(['tag']);
        const { status, redis } = cache.health();
        console.log(before, await cache.get('key'), status, redis.state);`;
      const env = { REDIS_HOST: '127.0.0.1' };
      expect(await run(script, module(), env)).toBe('1 undefined degraded driver-missing');
    });
  });
});

describe.runIf(findRedisServer() && process.platform !== 'win32')('a process without descriptors', () => {
  it('tells why it could not load ioredis, and loads it when there are some', async () => {
    await using server = await startRedisServer();
    const script = `
      const { closeSync, openSync } = await import('node:fs');
      const heard = [];
      const logger = { warn: (fields) => heard.push(fields.reason), info: () => heard.push('over') };
      const cache = new RedisCache({ port: ${server.port}, logger });
      const held = [];
      try {
        for (;;) held.push(openSync('/dev/null'));
      } catch {}
      const value = await cache.getOrSet('key', () => 'made');
      const { state } = cache.health().redis;
      for (const descriptor of held) closeSync(descriptor);
      while (cache.health().redis.state !== 'ready') await sleep(20);
      await cache.set('key', 'stored');
      await cache.close();
      console.log(value, state, heard.length, heard[0].startsWith('ioredis could not be loaded: '), heard[1]);`;
    const path = join(FOLDER, 'index.ts');
    const text = `const { RedisCache } = await import(${JSON.stringify(path)});\n${SLEEP}\n${script}`;
    const limited = 'ulimit -n 200; exec "$0" "$@"';
    const { stdout, stderr } = spawnSync('sh', ['-c', limited, process.execPath, '--input-type=module', '-e', text], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(stdout.trim() || stderr).toBe('made reconnecting 2 true over');
  });
});

describe.runIf(findRedisServer())('with a Cluster', () => {
  it('lets the process end while its connections idle', async () => {
    await using cluster = await startRedisCluster(3);
    const script = `
      const cache = new RedisCache({ cluster: ${JSON.stringify(cluster.addresses)}, operationTimeoutMs: 3_000 });
      await cache.set('key', 1);
      const isConnected = ({ redis }) => redis.subscribed && redis.state === 'ready';
      while (!isConnected(cache.health())) await sleep(10);
      console.log(cache.health().status);`;
    expect(await run(script)).toBe('healthy');
  });
});

describe.runIf(findRedisServer())('getCache', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  it('is one for the process, made from the environment', async () => {
    const script = `
      const second = new RedisCache({ url: process.env.REDIS_URL, db: 3 });
      let other;
      for (; other === undefined; await sleep(10)) {
        await getCache().set('key', 1);
        other = await second.get('key');
      }
      console.log(getCache() === getCache(), getCache().health().redis.state, other);`;
    const env = { REDIS_URL: server.url, REDIS_DB: '3' };
    expect(await run(script, undefined, env)).toBe('true ready 1');
  });
});

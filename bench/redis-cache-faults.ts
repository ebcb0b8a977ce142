/**
 * Does real harm to real Redis servers while a cache is used, and prints what its callers saw:
 * `node bench/redis-cache-faults.ts`. The table stands in docs/guide/redis-cache.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisCache, type RedisCacheHealth, type RedisCacheOptions } from '../src/redis-cache/index.ts';
import { startRedisServer } from '../src/testing/redis-server.ts';
import { askRedis, startRedisCluster, startRedisSentinel } from '../src/testing/redis-topologies.ts';

interface Scene {
  readonly cache: RedisCache;
  /** Does the harm. */
  harm(): Promise<unknown> | unknown;
  /** The harm takes a while and is what is measured, not what comes after it. @defaultValue false */
  readonly isHarmLong?: boolean;
  /** Ends it; absent where it ends by itself. */
  heal?(): Promise<unknown> | unknown;
  end(): Promise<unknown>;
}

interface Row {
  readonly fault: string;
  readonly before: number;
  readonly during: number;
  readonly worst: number;
  readonly errors: number;
  readonly wrong: number;
  readonly state: string;
  readonly sentWhileOpen: number | undefined;
  readonly recoveredMs: number | undefined;
}

const KEYS = 200;
const ROUNDS = 100;
const CALLERS = 10;

const keyOf = (n: number) => `key${n % KEYS}`;
const makeCache = (options: RedisCacheOptions) =>
  new RedisCache({ ...options, tagTrustMs: 0, leaseMs: 500, maxValueBytes: 65_536 });

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/**
 * Callers that read again and again, for this many rounds and until `work` ends. Memory is never trusted, so that each
 * one asks Redis where it may.
 */
async function load(cache: RedisCache, rounds: number, work?: Promise<unknown>) {
  let isOver = work === undefined;
  const end = () => {
    isOver = true;
  };
  work?.then(end, end);
  const times: number[] = [];
  let errors = 0;
  let wrong = 0;
  const caller = async (first: number) => {
    for (let n = 0; n < rounds || !isOver; n += 1) {
      const key = keyOf(first * rounds + n);
      const startedAtMs = performance.now();
      try {
        const value = await cache.get<{ key: string }>(key);
        if (value !== undefined && value.key !== key) wrong += 1;
      } catch {
        errors += 1;
      }
      times.push(performance.now() - startedAtMs);
      // Callers come over time, not in one burst: a caller after the breaker opened is the usual one.
      if (n % 10 === 0) await sleep(10);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index)));
  times.sort((left, right) => left - right);
  return { p99: quantile(times, 0.99), worst: times.at(-1) ?? 0, errors, wrong };
}

const fill = (cache: RedisCache) =>
  cache.mset(
    Array.from({ length: KEYS }, (_, n) => ({
      key: keyOf(n),
      data: { key: keyOf(n) },
      tags: ['tag', `tag${n % 7}`],
    })),
  );

const stateOf = ({ status, redis }: RedisCacheHealth) =>
  `${status}: ${redis?.state}, circuit ${redis?.circuit}${redis?.lastError === undefined ? '' : `, ${redis.lastError}`}`;

/** Whether a value written now can be read back through Redis, and everything says so. */
async function isWell(cache: RedisCache): Promise<boolean> {
  await cache.set('probe', { key: 'probe' });
  const hit = await cache.getWithSource('probe');
  return hit?.source === 'redis' && cache.health().status === 'healthy';
}

async function play(fault: string, makeScene: () => Promise<Scene>): Promise<Row> {
  const scene = await makeScene();
  const { cache } = scene;
  try {
    await fill(cache);
    const before = await load(cache, ROUNDS);
    const harm = Promise.resolve(scene.harm());
    if (scene.isHarmLong !== true) await harm;
    const during = await load(cache, ROUNDS, scene.isHarmLong === true ? harm : undefined);
    await harm;
    const state = stateOf(cache.health());
    let sentWhileOpen: number | undefined;
    if (cache.health().redis?.circuit === 'open') {
      const sent = () => cache.getStats().redis?.operations ?? 0;
      const sentBefore = sent();
      for (let n = 0; n < 100; n += 1) await cache.get(keyOf(n));
      if (cache.health().redis?.circuit === 'open') sentWhileOpen = sent() - sentBefore;
    }
    await scene.heal?.();
    const healedAtMs = performance.now();
    let recoveredMs: number | undefined;
    while (performance.now() - healedAtMs < 20_000) {
      if (await isWell(cache)) {
        recoveredMs = performance.now() - healedAtMs;
        break;
      }
      await sleep(20);
    }
    return {
      fault,
      before: before.p99,
      during: during.p99,
      worst: during.worst,
      errors: before.errors + during.errors,
      wrong: before.wrong + during.wrong,
      state,
      sentWhileOpen,
      recoveredMs,
    };
  } finally {
    await cache.close();
    await scene.end();
  }
}

async function oneServer(
  make: (server: Awaited<ReturnType<typeof startRedisServer>>) => Pick<Scene, 'harm' | 'heal'>,
  args: readonly string[] = [],
): Promise<Scene> {
  const server = await startRedisServer({ args });
  return { cache: makeCache({ url: server.url }), end: () => server.stop(), ...make(server) };
}

const ENTRY = 'describe_it:e:';
const plant = async (port: number) => {
  for (let n = 0; n < KEYS; n += 1) {
    const name = `${ENTRY}${keyOf(n)}`;
    if (n % 3 === 0) await askRedis(port, `SET ${name} garbage`);
    else if (n % 3 === 1) await askRedis(port, `SETRANGE ${name} 20000000 x`);
    else await askRedis(port, `DEL ${name}`).then(() => askRedis(port, `RPUSH ${name} a`));
  }
};

const FAULTS: Readonly<Record<string, () => Promise<Scene>>> = {
  'hangs (SIGSTOP)': () => oneServer((server) => ({ harm: () => server.pause(), heal: () => server.resume() })),
  'dies (SIGKILL)': () => oneServer((server) => ({ harm: () => server.kill(), heal: () => server.restart() })),
  'restarts empty': () => oneServer((server) => ({ harm: () => server.restart() })),
  'drops every connection (CLIENT KILL)': () =>
    oneServer((server) => ({
      harm: () =>
        askRedis(server.port, 'CLIENT KILL TYPE normal SKIPME yes').then(() =>
          askRedis(server.port, 'CLIENT KILL TYPE pubsub'),
        ),
    })),
  'is full and evicts tag keys (maxmemory)': () =>
    oneServer((server) => ({
      harm: async () => {
        await askRedis(server.port, 'CONFIG SET maxmemory-policy allkeys-random');
        await askRedis(server.port, 'CONFIG SET maxmemory 1mb');
      },
      heal: () => askRedis(server.port, 'CONFIG SET maxmemory 0'),
    })),
  'is full and refuses writes (noeviction)': () =>
    oneServer((server) => ({
      harm: () => askRedis(server.port, 'CONFIG SET maxmemory 1mb'),
      heal: () => askRedis(server.port, 'CONFIG SET maxmemory 0'),
    })),
  'holds garbage, 20 MB and lists under our keys': () => oneServer((server) => ({ harm: () => plant(server.port) })),
  'refuses the password': async () => {
    const server = await startRedisServer();
    const cache = makeCache({ url: server.url, password: 'right' });
    return {
      cache,
      harm: async () => {
        await askRedis(server.port, 'CONFIG SET requirepass other');
        await askRedis(server.port, 'AUTH other');
        await server.kill();
        await server.restart();
        await askRedis(server.port, 'CONFIG SET requirepass other');
      },
      heal: () => server.restart(),
      end: () => server.stop(),
    };
  },
  'fails over (Sentinel, old master READONLY)': async () => {
    const setup = await startRedisSentinel();
    const sentinels = [{ host: setup.sentinel.host, port: setup.sentinel.port }];
    /** Waits until the old master has become a replica, and so has dropped every connection. */
    const failOver = async () => {
      await setup.failOver();
      // The old master drops this connection too.
      const role = () => askRedis(setup.master.port, 'INFO replication').catch(() => '');
      while (!(await role()).includes('role:slave')) await sleep(50);
      await sleep(1_000);
    };
    return {
      cache: makeCache({ sentinels }),
      harm: failOver,
      isHarmLong: true,
      end: () => setup.stop(),
    };
  },
  'loses one of three nodes (Cluster)': async () => {
    const cluster = await startRedisCluster(3);
    const [node] = cluster.nodes;
    return {
      cache: makeCache({ cluster: cluster.addresses }),
      harm: () => node?.kill(),
      heal: () => node?.restart(),
      end: () => cluster.stop(),
    };
  },
};

const ms = (value: number | undefined) =>
  value === undefined ? 'never' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

const only = process.argv[2];
const rows: Row[] = [];
for (const [fault, makeScene] of Object.entries(FAULTS)) {
  if (only !== undefined && !fault.includes(only)) continue;
  rows.push(await play(fault, makeScene));
}
console.log(
  '| Redis … | p99 of `get` before | during | slowest | errors | wrong values | commands sent while the circuit is open | `health()` during it | well again after |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const row of rows) {
  const sent = row.sentWhileOpen ?? '–';
  console.log(
    `| ${row.fault} | ${ms(row.before)} | ${ms(row.during)} | ${ms(row.worst)} | ${row.errors} | ${row.wrong} | ${sent} | ${row.state} | ${ms(row.recoveredMs)} |`,
  );
}

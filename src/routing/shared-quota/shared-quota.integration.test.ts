import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Deferred } from '../../internal/async/deferred.ts';
import { findRedisServer, type RedisServer, startRedisServer } from '../../testing/redis-server.ts';
import { QuotaLimiter } from '../quota/quota-limiter.ts';
import type { QuotaLimits } from '../quota/quota-limiter-options.ts';
import {
  type ApiOptions,
  type ForeignTenant,
  flood,
  floodForeign,
  SimulatedApi,
  Tally,
} from '../quota-simulation.fixture.ts';
import { SimulatedClock } from '../simulated-clock.fixture.ts';
import type { AtomicScript } from './atomic-script.ts';

const PROCESSES = 4;
const MODULE = fileURLToPath(new URL('../index.ts', import.meta.url));
const CACHE_MODULE = fileURLToPath(new URL('../../redis-cache/index.ts', import.meta.url));

/** Runs scripts on a real Redis at the time of a simulated clock, which stands still until they have answered. */
class SimulatedStore implements AtomicScript {
  away = false;
  scripts = 0;
  readonly #redis: Redis;
  readonly #clock: SimulatedClock;
  #underWay = 0;
  #idle: Deferred<void> | undefined;

  constructor(redis: Redis, clock: SimulatedClock) {
    this.#redis = redis;
    this.#clock = clock;
  }

  async run(script: string, keys: readonly string[], args: readonly (string | number)[]) {
    this.scripts += 1;
    const answer = new Deferred<readonly string[]>();
    if (this.away) this.#clock.setTimeout(() => answer.reject(new Error('away')), 1);
    else {
      this.#underWay += 1;
      const nowMs = 1_700_000_000_000 + this.#clock.now();
      const reply = await this.#redis.eval(script, keys.length, ...keys, `${nowMs}`, ...args.slice(1));
      this.#clock.setTimeout(() => answer.resolve(reply as string[]), 1);
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle?.resolve();
    }
    return answer.promise;
  }

  readonly settled = async (): Promise<void> => {
    if (this.#underWay > 0) {
      this.#idle = new Deferred();
      await this.#idle.promise;
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
}

interface Scenario {
  readonly limits: ApiOptions['limits'];
  readonly given?: QuotaLimits;
  readonly halved?: ApiOptions['limits'];
  readonly foreign?: ForeignTenant;
  readonly awayMs?: readonly [from: number, until: number];
  readonly jitterMs?: number;
}

describe.runIf(findRedisServer())('a quota that processes share through Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = new Redis(server.port, server.host);
    redis.on('error', () => {});
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(() => redis.flushall());

  /** A minute of four limiters, each its own process as far as Redis knows. */
  async function play({ limits, given = {}, halved, foreign, awayMs, jitterMs = 5 }: Scenario, seed: number) {
    const clock = new SimulatedClock();
    const store = new SimulatedStore(redis, clock);
    const api = new SimulatedApi(clock, { limits, jitterMs, seed });
    const tally = new Tally(clock);
    const others = new Tally(clock);
    const limiters = Array.from(
      { length: PROCESSES },
      () => new QuotaLimiter({ name: 'quota', limits: given, shared: store, clock, random: api.random }),
    );
    for (const limiter of limiters) flood(api, limiter, tally, () => ({ estimated: 60, charged: 60 }));
    if (foreign !== undefined) floodForeign(api, others, foreign);
    if (halved !== undefined) clock.setTimeout(() => api.setLimits(halved), 30_000);
    let halfway: readonly number[] = [];
    clock.setTimeout(() => {
      halfway = limiters.map((limiter) => limiter.getStats().answered);
    }, 30_000);
    for (const [index, atMs] of (awayMs ?? []).entries()) {
      clock.setTimeout(() => {
        store.away = index === 0;
      }, atMs);
    }
    await clock.run(60_000, store.settled);
    const limit = limits.requestsPerMinute ?? 0;
    const allowed = (20 * limit + 30 * (halved?.requestsPerMinute ?? limit)) / 60 - others.admittedSince;
    // Counts from the middle on: the first full bucket may all go to the first process.
    const answered = limiters.map((limiter, index) => limiter.getStats().answered - (halfway[index] ?? 0));
    return {
      share: tally.admittedSince / allowed,
      refusedRatio: tally.refusedRatio,
      fairness: Math.min(...answered) / Math.max(...answered),
      scriptsPerRequest: store.scripts / tally.admitted,
    };
  }

  it.each<readonly [string, Scenario]>([
    ['at its limit', { limits: { requestsPerMinute: 1_200 } }],
    ['at a given limit', { limits: { requestsPerMinute: 1_200 }, given: { requestsPerMinute: 1_200 } }],
    ['halved midway', { limits: { requestsPerMinute: 2_400 }, halved: { requestsPerMinute: 1_200 } }],
    [
      'whose bucket holds a whole minute, on a way that reorders',
      { limits: { requestsPerMinute: 1_200, burstSeconds: 60 }, jitterMs: 300 },
    ],
    [
      'of which another tenant eats half',
      { limits: { requestsPerMinute: 2_400 }, foreign: { perMinute: 1_200, tokens: 0 } },
    ],
    ['while Redis is away for a third of the time', { limits: { requestsPerMinute: 1_200 }, awayMs: [20_000, 40_000] }],
  ])('%s: nearly all is used after 10 s, next to none refused, and each gets its part', async (_, scenario) => {
    const played = await play(scenario, 1);
    expect(played).toSatisfy(
      ({ share, refusedRatio, fairness, scriptsPerRequest }: typeof played) =>
        share >= 0.95 && refusedRatio <= 0.01 && fairness > 0.6 && scriptsPerRequest < 1.5,
    );
  });

  it('keeps its keys in one slot of a Cluster, and lets them expire', async () => {
    await play({ limits: { requestsPerMinute: 600 } }, 1);
    const keys = await redis.keys('*');
    expect(keys.sort()).toEqual(['quota:{quota}', 'quota:{quota}:members']);
    for (const key of keys) {
      const ttlMs = await redis.pttl(key);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(600_000);
    }
  });

  it('forgets processes that are gone, with what they held', async () => {
    await play({ limits: { requestsPerMinute: 600 } }, 1);
    const clock = new SimulatedClock();
    await clock.run(90_000);
    const store = new SimulatedStore(redis, clock);
    const limiter = new QuotaLimiter({ name: 'quota', shared: store, clock });
    limiter.waitMs(1);
    await store.settled();
    await clock.run(91_000, store.settled);
    expect(limiter.getStats().shared).toMatchObject({ available: true, processes: 1 });
    const fields = await redis.hkeys('quota:{quota}');
    expect(fields.filter((field) => field.includes('held'))).toHaveLength(1);
  });

  it('begins anew where the state was written by a clock that was far ahead', async () => {
    const ask = async (atMs: number, taken: number) => {
      const clock = new SimulatedClock();
      await clock.run(atMs);
      const store = new SimulatedStore(redis, clock);
      const limits = { requestsPerMinute: 600 };
      const limiter = new QuotaLimiter({ name: 'quota', limits, shared: store, clock });
      for (let request = 0; request < taken; ) {
        if (limiter.waitMs(1) === 0) {
          limiter.take(1);
          request += 1;
        }
        await store.settled();
        await clock.run(clock.now() + 5, store.settled);
      }
      return clock.now() - atMs;
    };
    await ask(3_600_000, 20);
    expect(await ask(0, 20)).toBeLessThan(3_000);
  });

  it('begins with empty buckets where Redis has lost its data', async () => {
    const clock = new SimulatedClock();
    const store = new SimulatedStore(redis, clock);
    const limiter = new QuotaLimiter({
      name: 'quota',
      limits: { requestsPerMinute: 600 },
      shared: store,
      clock,
    });
    const ask = async () => {
      limiter.waitMs(1);
      await store.settled();
      await clock.run(clock.now() + 5, store.settled);
      return limiter.getStats().requests.level ?? 0;
    };
    expect(await ask()).toBeGreaterThan(5);
    await redis.flushall();
    await ask();
    expect(await ask()).toBeLessThan(1);
  });

  describe('with real processes', () => {
    /**
     * Floods a bucket that lives in Redis too, as strict as the API's, and reports what passed and what was refused.
     */
    const SCRIPT = `
      const { QuotaLimiter } = await import(${JSON.stringify(MODULE)});
      const { RedisCache, redisScriptOf } = await import(${JSON.stringify(CACHE_MODULE)});
      const [url, prefix] = process.argv.slice(1);
      const cache = new RedisCache({ url, keyPrefix: prefix });
      const limits = { requestsPerMinute: 6000, processes: ${PROCESSES} };
      const limiter = new QuotaLimiter({ name: 'quota', limits, shared: redisScriptOf(cache) });
      let timer;
      let ended = false;
      const pump = () => {
        clearTimeout(timer);
        while (!ended && limiter.waitMs(1) === 0) {
          limiter.take(1).answered({});
          console.log('took ' + (performance.timeOrigin + performance.now()));
        }
        if (!ended) timer = setTimeout(pump, Math.ceil(limiter.waitMs(1)));
      };
      limiter.onCapacity(pump);
      pump();
      setInterval(() => console.log('shared ' + limiter.getStats().shared.available), 50).unref();
      process.stdin.once('data', async () => {
        ended = true;
        clearTimeout(timer);
        limiter.close();
        await cache.close();
        process.stdin.unref();
      });
    `;

    class Member {
      readonly child: ChildProcess;
      readonly tookAtMs: number[] = [];
      shared = false;
      readonly exited: Promise<unknown>;

      constructor(...args: string[]) {
        const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, ...args], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        createInterface({ input: child.stdout }).on('line', (line) => {
          const [what, value] = line.split(' ');
          if (what === 'took') this.tookAtMs.push(Number(value));
          else this.shared = value === 'true';
        });
        this.child = child;
        this.exited = once(child, 'exit');
      }
    }

    const now = () => performance.timeOrigin + performance.now();

    it('uses the whole limit together, each its share while Redis is killed, and then shares again', async () => {
      const members = Array.from({ length: PROCESSES }, () => new Member(server.url, 'real:'));
      const all = (shared: boolean) => members.every((member) => member.shared === shared);
      /** Measures requests a second of all together, from now until each has taken some and all have taken 150. */
      const measure = async () => {
        const fromMs = now();
        const taken = () =>
          members.map(({ tookAtMs }) => tookAtMs.filter((atMs) => atMs >= fromMs).sort((a, b) => a - b));
        const enough = () => taken().flat().length >= 150 && taken().every(({ length }) => length > 0);
        await expect.poll(enough).toBe(true);
        const all = taken().flat();
        return (all.length - 1) / ((Math.max(...all) - Math.min(...all)) / 1_000);
      };
      await expect.poll(() => all(true)).toBe(true);
      const shared = await measure();
      await server.kill();
      await expect.poll(() => all(false)).toBe(true);
      const alone = await measure();
      await server.restart();
      await expect.poll(() => all(true)).toBe(true);
      const again = await measure();
      for (const { child } of members) child.stdin?.write('end\n');
      expect(await Promise.all(members.map(({ exited }) => exited))).toEqual(members.map(() => [0, null]));
      // 100 a second; what a bucket held at the beginning comes on top. A busy machine may be slower, never faster.
      for (const together of [shared, alone, again]) expect(together).toBeLessThan(130);
    }, 60_000);
  });
});

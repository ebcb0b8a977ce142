import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort, findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { RedisCache } from './redis-cache.ts';

const CACHES = 3;
const TAG_TRUST_MS = 60;
const FAILED = 'the factory failed';
/** All tags of a key, so that an entry of another key or tag is noticed. A caller names all or some of them. */
const TAGS_OF = { k0: ['t0', 't1'], k1: ['t0', 't1'], k2: [] } as const;
type Key = keyof typeof TAGS_OF;
type Tag = 't0' | 't1';

/** A connection to Redis that can be cut, and that can lose every message while all else works. */
class Cable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => this.#join(near));
  readonly #target: number;
  port = 0;
  down = false;
  mute = false;

  constructor(target: number) {
    this.#target = target;
  }

  async open(): Promise<this> {
    this.port = await findFreePort();
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    return this;
  }

  cut(): void {
    this.down = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.down = false;
    this.mute = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket): void {
    near.on('error', () => {});
    if (this.down) {
      near.destroy();
      return;
    }
    const far = connect(this.#target, '127.0.0.1');
    far.on('error', () => {});
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => {
      if (!this.mute || !chunk.includes(':bus\r\n')) near.write(chunk);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}

interface Made {
  readonly key: Key;
  /** Index among all events at which the making of the value began. */
  readonly madeAt: number;
  /** The tags of the caller that made it; a stored entry may have more. */
  readonly tags: readonly string[];
}

interface Removal {
  readonly by: number;
  readonly concerns: (key: Key, tags: readonly string[]) => boolean;
  readonly beganAt: number;
  /** Index at which it returned. For its own process it counts from there. */
  endedAt: number;
  /**
   * When Redis had it for certain. Elsewhere it counts from `TAG_TRUST_MS` later, whether its message arrives or not.
   */
  confirmedAtMs: number;
  /** Index at which its message arrived at each other cache. It counts there from then on. */
  readonly heardAt: Map<number, number>;
}

const cacheIndex = fc.nat({ max: CACHES - 1 });
const key = fc.constantFrom<Key>('k0', 'k1', 'k2');
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('get' as const), cache: cacheIndex, key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mget' as const), cache: cacheIndex }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('getOrSet' as const),
      cache: cacheIndex,
      key,
      delayMs: fc.constantFrom(0, 0, 5, 30, 80),
      force: fc.constantFrom(false, false, false, true),
      fails: fc.constantFrom(false, false, false, true),
      without: fc.constantFrom<Tag | undefined>(undefined, undefined, 't0', 't1'),
      ttlMs: fc.constantFrom(15, 60_000, 60_000),
      graceMs: fc.constantFrom(0, 60_000),
      softTimeoutMs: fc.constantFrom(undefined, undefined, 0, 10),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      cache: cacheIndex,
      key,
      ttlMs: fc.constantFrom(15, 60_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('invalidate' as const),
      cache: cacheIndex,
      tag: fc.constantFrom<Tag>('t0', 't1'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), cache: cacheIndex, key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), cache: cacheIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const), cache: cacheIndex, key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), cache: cacheIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mute' as const), cache: cacheIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mend' as const), cache: cacheIndex }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pause' as const), forMs: fc.constantFrom(1, 5, 100) }),
  },
);
const step = fc.record({ command, awaited: fc.boolean() });
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

class World {
  readonly caches: RedisCache[];
  readonly cables: Cable[];
  readonly #keyPrefix: string;
  readonly #raw: Redis;
  readonly #removals: Removal[] = [];
  /** Sets by their value. Until a set of another cache returns, it may land after a removal that began later. */
  readonly #sets = new Map<number, { readonly by: number; endedAt: number }>();
  #order = 0;
  reads = 0;
  heard = 0;

  constructor(cables: Cable[], raw: Redis, keyPrefix: string) {
    this.cables = cables;
    this.#raw = raw;
    this.#keyPrefix = keyPrefix;
    this.caches = cables.map(
      ({ port }) =>
        new RedisCache({
          host: '127.0.0.1',
          port,
          keyPrefix,
          tagTrustMs: TAG_TRUST_MS,
          operationTimeoutMs: 300,
          leaseMs: 200,
          followerWaitMs: 400,
          memory: { maxEntries: 2 },
        }),
    );
    this.caches.forEach((cache, index) => {
      cache.on('invalidated', ({ by, keys, tags }) => {
        if (by === 'another-process') this.#hear(index, [...keys, ...tags]);
      });
    });
  }

  #next(): number {
    this.#order += 1;
    return this.#order;
  }

  async run(command: Command): Promise<void> {
    if (command.kind === 'pause') return sleep(command.forMs);
    const cache = this.caches[command.cache] as RedisCache;
    const cable = this.cables[command.cache] as Cable;
    switch (command.kind) {
      case 'cut':
        return cable.cut();
      case 'mute':
        cable.mute = true;
        return;
      case 'mend':
        return cable.mend();
      case 'get':
        return this.#read(command.cache, async () => [await cache.get<Made>(command.key)], [command.key]);
      case 'mget': {
        const keys = Object.keys(TAGS_OF) as Key[];
        return this.#read(command.cache, () => cache.mget<Made>(keys), keys);
      }
      case 'getOrSet': {
        const tags = (TAGS_OF[command.key] as readonly string[]).filter((tag) => tag !== command.without);
        const factory = async (): Promise<Made> => {
          const madeAt = this.#next();
          await sleep(command.delayMs);
          if (command.fails) throw new Error(FAILED);
          return { key: command.key, madeAt, tags };
        };
        const options = {
          tags,
          forceRefresh: command.force,
          ttlSeconds: command.ttlMs / 1_000,
          graceSeconds: command.graceMs / 1_000,
          softTimeoutMs: command.softTimeoutMs,
        };
        const ask = async () => {
          const { value, source } = await cache.getOrSetWithSource(command.key, factory, options);
          // While Redis can't be asked, running work is shared for as long as it takes.
          return source === 'shared' && cable.down ? [] : [value];
        };
        const orNothing = (error: Error) => {
          if (error.message !== FAILED) throw error;
          return [];
        };
        return this.#read(command.cache, () => ask().catch(orNothing), [command.key], tags);
      }
      case 'set': {
        const tags = TAGS_OF[command.key];
        const value: Made = { key: command.key, madeAt: this.#next(), tags };
        const set = { by: command.cache, endedAt: Number.POSITIVE_INFINITY };
        this.#sets.set(value.madeAt, set);
        await cache.set(command.key, value, command.ttlMs / 1_000, tags);
        set.endedAt = this.#next();
        return;
      }
      case 'invalidate':
        return this.#remove(
          command.cache,
          (_, tags) => tags.includes(command.tag),
          (name) => cache.invalidateByTags([command.tag, name]),
        );
      case 'delete':
        return this.#remove(
          command.cache,
          (candidate) => candidate === command.key,
          (name) => cache.deleteMany([command.key, name]),
        );
      case 'clear':
        return this.#remove(
          command.cache,
          () => true,
          () => cache.clear(),
        );
      case 'evict':
        // As with maxmemory: a tag is lost without a message.
        await this.#raw.del(`${this.#keyPrefix}t:${TAGS_OF[command.key][0] ?? ''}`);
    }
  }

  /** `work` gets a unique name, by which the removal's message is recognised where it arrives. */
  async #remove(by: number, concerns: Removal['concerns'], work: (name: string) => Promise<unknown>): Promise<void> {
    const removal: Removal = {
      by,
      concerns,
      beganAt: this.#next(),
      endedAt: Number.POSITIVE_INFINITY,
      confirmedAtMs: Number.POSITIVE_INFINITY,
      heardAt: new Map(),
    };
    this.#removals.push(removal);
    await work(nameOf(removal));
    removal.endedAt = this.#next();
    void this.#confirm(removal);
  }

  #hear(at: number, names: readonly string[]): void {
    const removal = this.#removals.find((candidate) => names.includes(nameOf(candidate)));
    if (removal === undefined || removal.heardAt.has(at)) return;
    removal.heardAt.set(at, this.#next());
    this.heard += 1;
  }

  async #confirm(removal: Removal): Promise<void> {
    const cache = this.caches[removal.by] as RedisCache;
    while ((cache.health().redis?.pendingInvalidations ?? 0) > 0) await sleep(5);
    removal.confirmedAtMs = performance.now();
  }

  /** @param asked - Tags that the values must have, whatever tags they were made with. */
  async #read(
    by: number,
    work: () => Promise<(Made | undefined)[]>,
    keys: readonly Key[],
    asked: readonly string[] = [],
  ): Promise<void> {
    const beganAt = this.#next();
    const beganAtMs = performance.now();
    const values = await work();
    this.reads += 1;
    values.forEach((value, index) => {
      if (value === undefined) return;
      expect(value.key).toBe(keys[index]);
      for (const removal of this.#removals) {
        const set = this.#sets.get(value.madeAt);
        const madeAt = set === undefined || set.by === removal.by ? value.madeAt : set.endedAt;
        if (!removal.concerns(value.key, [...value.tags, ...asked]) || madeAt > removal.beganAt) continue;
        const here = removal.by === by && removal.endedAt < beganAt;
        const elsewhere = removal.confirmedAtMs + TAG_TRUST_MS < beganAtMs;
        const heard = (removal.heardAt.get(by) ?? Number.POSITIVE_INFINITY) < beganAt;
        if (!here && !elsewhere && !heard) continue;
        throw new Error(
          `cache ${by} read at ${beganAt} a ${value.key} made at ${value.madeAt}, though ${removal.by} removed it from ${removal.beganAt} to ${removal.endedAt}${here ? '' : heard ? ' (heard)' : ' (elsewhere)'}`,
        );
      }
    });
  }
}

const nameOf = ({ by, beganAt }: Removal) => `removal-${by}-${beganAt}`;
const sleep = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));

describe.runIf(findRedisServer())('three caches over one Redis', () => {
  let server: RedisServer;
  let cables: Cable[];
  let raw: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    raw = new Redis(server.url);
    cables = await Promise.all(Array.from({ length: CACHES }, () => new Cable(server.port).open()));
  });
  afterAll(async () => {
    for (const cable of cables) cable.close();
    raw.disconnect();
    await server.stop();
  });

  it('never give a value older than an invalidation that they know of, nor one of another key', async () => {
    let runs = 0;
    let reads = 0;
    let heard = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 100 }), async (steps) => {
        runs += 1;
        const world = new World(cables, raw, `model${runs}:`);
        const running: Promise<void>[] = [];
        try {
          for (const { command, awaited } of steps) {
            const work = world.run(command);
            work.catch(() => {});
            running.push(work);
            if (awaited) await Promise.race([work, sleep(15)]);
          }
          for (const cable of cables) cable.mend();
          await Promise.all(running);
        } finally {
          for (const cable of cables) cable.mend();
          reads += world.reads;
          heard += world.heard;
          await Promise.all(world.caches.map((cache) => cache.close()));
        }
      }),
      {
        seed: Number(process.env['FC_SEED'] ?? 8),
        numRuns: Number(process.env['FC_RUNS'] ?? 6),
        endOnFailure: true,
      },
    );
    expect(reads).toBeGreaterThan(50);
    expect(heard).toBeGreaterThan(20);
  }, 120_000);
});

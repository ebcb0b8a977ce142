import { describe, expect, it, vi } from 'vitest';
import type { CreateContext } from '../options/resource-factory.ts';
import type { ResourcePoolOptions } from '../options/resource-pool-options.ts';
import { makePool, type Thing } from '../thing-pool.fixture.ts';

const INTERVAL_MS = 1_000;

/** A pool whose things know whether their server is up, and can report that they were cut off. */
function poolOfConnections(options: Partial<ResourcePoolOptions<Thing>> = {}, validates = true) {
  const contexts: CreateContext[] = [];
  const checkedAtMs: number[] = [];
  let up = true;
  let nextId = 1;
  const made = makePool({
    factory: {
      create: (context: CreateContext) => {
        contexts.push(context);
        return { id: nextId++ };
      },
      destroy: () => {},
      ...(validates && {
        validate: (_thing: Thing, { phase }: { readonly phase: string }) => {
          if (phase === 'borrow') return true;
          checkedAtMs.push(made.clock.now());
          return up;
        },
      }),
    },
    minSize: 2,
    maxSize: 4,
    healthCheckInterval: INTERVAL_MS,
    ...options,
  });
  return {
    ...made,
    checkedAtMs,
    setUp: (is: boolean) => {
      up = is;
    },
    suspectAll: () => {
      for (const { suspect } of contexts) suspect();
    },
    made: () => contexts.length,
  };
}

describe('a regular check', () => {
  it('comes no later than an interval after a resource was made, used or checked', async () => {
    const { pool, clock, checkedAtMs } = poolOfConnections({ minSize: 1 });
    await pool.use(() => clock.advance(430));
    await clock.advance(2 * INTERVAL_MS);
    expect(checkedAtMs).toHaveLength(2);
    expect(checkedAtMs[0]).toBeLessThanOrEqual(430 + INTERVAL_MS);
    expect(checkedAtMs[0]).toBeGreaterThanOrEqual(430 + INTERVAL_MS * 0.9);
    expect((checkedAtMs[1] ?? 0) - (checkedAtMs[0] ?? 0)).toBeLessThanOrEqual(INTERVAL_MS);
  });

  it('looks at several in one run when they are nearly due', async () => {
    const { pool, clock, checkedAtMs } = poolOfConnections({ minSize: 0 });
    const late = await pool.acquire();
    const early = await pool.acquire();
    early.release();
    await clock.advance(50);
    late.release();
    await clock.advance(INTERVAL_MS);
    expect(checkedAtMs).toEqual([1_000, 1_000]);
  });
});

describe('a resource that says that it may be dead', () => {
  it('is validated within a tenth of the interval', async () => {
    const { pool, clock, suspectAll, checkedAtMs } = poolOfConnections();
    await pool.warmUp();
    await clock.advance(10);
    suspectAll();
    expect(checkedAtMs).toEqual([]);
    await clock.advance(100);
    expect(checkedAtMs).toHaveLength(2);
    expect(pool.getStats()).toMatchObject({ idle: 2, retired: { invalid: 0 } });
  });

  it('is left alone while it is on loan, and forgotten by then', async () => {
    const { pool, clock, suspectAll, checkedAtMs } = poolOfConnections({ minSize: 0 });
    const lease = await pool.acquire();
    suspectAll();
    await clock.advance(300);
    lease.release();
    await clock.advance(500);
    expect(checkedAtMs).toEqual([]);
  });

  it('is not checked for it when it was lent meanwhile', async () => {
    const { pool, clock, suspectAll, checkedAtMs } = poolOfConnections({ minSize: 1 });
    await pool.warmUp();
    suspectAll();
    await pool.use(() => {});
    await clock.advance(500);
    expect(checkedAtMs).toEqual([]);
  });

  it('is replaced, and what replaces it checked with growing pauses, until one is alive', async () => {
    const { pool, clock, suspectAll, setUp, checkedAtMs } = poolOfConnections({
      healthCheckInterval: 30_000,
    });
    await pool.warmUp();
    setUp(false);
    suspectAll();
    await clock.advance(100);
    expect(checkedAtMs.length).toBeGreaterThanOrEqual(1);
    await clock.advance(600_000);
    // In ten minutes: no hot loop, and no pause longer than half an interval.
    expect(checkedAtMs.length).toBeLessThan(400);
    const pauses = checkedAtMs.map((at, index) => at - (checkedAtMs[index - 1] ?? 0));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_001);
    expect(Math.max(...pauses)).toBeGreaterThan(2_000);
    setUp(true);
    await clock.advance(15_001);
    const { invalid } = pool.getStats().retired;
    await clock.advance(60_000);
    expect(pool.getStats()).toMatchObject({ idle: 2, retired: { invalid } });
  });

  it('is checked ever more seldom when it says so after every check', async () => {
    const { pool, clock, suspectAll, checkedAtMs } = poolOfConnections({ minSize: 1 });
    await pool.warmUp();
    for (let ms = 0; ms < 20_000; ms += 10) {
      await clock.advance(10);
      suspectAll();
    }
    // Without pacing there would be 2,000.
    expect(checkedAtMs.length).toBeLessThan(120);
  });

  it('is replaced unseen where nothing can validate it', async () => {
    const { pool, clock, suspectAll, made } = poolOfConnections({}, false);
    await pool.warmUp();
    suspectAll();
    await clock.advance(200);
    expect(made()).toBeGreaterThanOrEqual(3);
    await clock.advance(60_000);
    expect(made()).toBe(4);
    expect(pool.getStats()).toMatchObject({ idle: 2, retired: { invalid: 2 } });
  });

  it('may say so after the end', async () => {
    const { pool, clock, suspectAll, checkedAtMs } = poolOfConnections();
    await pool.warmUp();
    suspectAll();
    await pool.close();
    suspectAll();
    await clock.advance(10_000);
    expect(checkedAtMs).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('after a server went away', () => {
  it('every idle resource is alive again within an interval of its return, whenever that is', async () => {
    for (let awayMs = 10; awayMs <= 3_000; awayMs += 130) {
      const { pool, clock, suspectAll, setUp } = poolOfConnections();
      await pool.warmUp();
      await clock.advance(awayMs % 700);
      setUp(false);
      suspectAll();
      await clock.advance(awayMs);
      setUp(true);
      const healed = vi.fn();
      pool.on('retired', healed);
      await clock.advance(INTERVAL_MS);
      const { created, retired } = pool.getStats();
      healed.mockClear();
      const { failed } = await pool.checkIdle();
      expect({ failed, size: pool.getStats().size, awayMs }).toEqual({ failed: 0, size: 2, awayMs });
      // No slot made while the server was away waits for its first check.
      await clock.advance(INTERVAL_MS * 3);
      expect(healed).not.toHaveBeenCalled();
      expect(pool.getStats()).toMatchObject({ created, retired });
      await pool.destroy();
    }
  });

  it('what replaces a resource that broke in use is checked soon too', async () => {
    const { pool, clock, checkedAtMs } = poolOfConnections({
      minSize: 1,
      isBroken: () => true,
      healthCheckInterval: 30_000,
    });
    await pool.use(() => Promise.reject(new Error('reset'))).catch(() => {});
    await clock.advance(100);
    expect(checkedAtMs).toHaveLength(1);
  });
});

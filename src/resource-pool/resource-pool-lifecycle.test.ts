import { describe, expect, it, vi } from 'vitest';
import type { ResourceFactory } from './options/resource-factory.ts';
import { type Thing, useThingPools } from './thing-pool.fixture.ts';

const makePool = useThingPools();

describe('a resource that can not be made', () => {
  it('is tried again only after a growing, jittered delay', async () => {
    const create = vi.fn(() => Promise.reject(new Error('refused')));
    const { pool, clock } = makePool(
      { create },
      { minSize: 1, createBackoff: { initialDelayMs: 100, maxDelayMs: 1_000 } },
    );
    const delays: number[] = [];
    pool.on('createFailed', ({ retryInMs }) => delays.push(retryInMs));
    await expect(pool.warmUp()).rejects.toMatchObject({ code: 'DESCRIBE_POOL_CREATE_FAILED' });
    await clock.advance(10_000);
    expect(delays.every((delay) => delay >= 100 && delay <= 1_000)).toBe(true);
    expect(Math.max(...delays)).toBeGreaterThan(300);
    expect(create.mock.calls.length).toBeLessThanOrEqual(100);
    expect(create.mock.calls.length).toBeGreaterThanOrEqual(10);
  });

  it('rejects its own acquirer, is tried once at a time, and lets the others through when it can be made again', async () => {
    let fails = true;
    const create = vi.fn(async () => {
      if (fails) throw new Error('refused');
      return { id: 7 };
    });
    const { pool, clock } = makePool({ create });
    const first = pool.acquire();
    await expect(first).rejects.toMatchObject({ code: 'DESCRIBE_POOL_CREATE_FAILED' });
    const others = Promise.all([pool.use(({ id }) => id), pool.use(({ id }) => id)]);
    await clock.flush();
    expect(create).toHaveBeenCalledTimes(1);
    fails = false;
    await clock.advance(300);
    expect(await others).toEqual([7, 7]);
  });

  it('is the cause when an acquire runs out of time', async () => {
    const cause = new Error('refused');
    const { pool, clock } = makePool({ create: () => Promise.reject(cause) }, { maxSize: 1, acquireTimeoutMs: 50 });
    await pool.acquire().catch(() => {});
    const late = pool.acquire().catch((error: unknown) => error);
    await clock.advance(50);
    expect(await late).toMatchObject({
      code: 'DESCRIBE_POOL_TIMEOUT',
      message:
        'resource pool: no resource became free within acquireTimeoutMs (50 ms); the last factory.create failed: refused',
      cause,
    });
  });

  it('hears of its timeout by the signal', async () => {
    const reasons: unknown[] = [];
    const create = vi.fn<ResourceFactory<Thing>['create']>(({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return new Promise(() => {});
    });
    const { pool, clock } = makePool({ create }, { createTimeoutMs: 50 });
    const acquired = pool.acquire().catch((error: unknown) => error);
    await clock.advance(50);
    expect(await acquired).toMatchObject({
      code: 'DESCRIBE_POOL_CREATE_FAILED',
      cause: { code: 'DESCRIBE_TIMEOUT' },
    });
    expect(reasons).toMatchObject([{ code: 'DESCRIBE_TIMEOUT' }]);
  });
});

describe('recycling', () => {
  it('replaces a resource after maxUsageCount uses', async () => {
    const { pool } = makePool({}, { maxUsageCount: 2 });
    const ids: number[] = [];
    for (let use = 0; use < 5; use += 1) ids.push(await pool.use(({ id }) => id));
    expect(ids).toEqual([1, 1, 2, 2, 3]);
    expect(pool.getStats()).toMatchObject({ retired: { usage: 2 } });
  });

  it('replaces a resource at maxLifetimeMs, up to a tenth earlier, and not all at once', async () => {
    const { pool, clock, destroy } = makePool({}, { maxSize: 20, minSize: 20, maxLifetimeMs: 10_000 });
    const goneAt: number[] = [];
    destroy.mockImplementation(() => goneAt.push(clock.now()));
    await pool.warmUp();
    await clock.advance(8_999);
    expect(goneAt).toEqual([]);
    await Promise.all(Array.from({ length: 20 }, () => pool.use(() => clock.advance(0))));
    for (let ms = 9_000; ms <= 13_000; ms += 50) {
      await clock.advance(50);
      const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()));
      for (const lease of leases) lease.release();
      if (goneAt.length >= 20) break;
    }
    expect(goneAt.length).toBeGreaterThanOrEqual(20);
    expect(Math.max(...goneAt.slice(0, 20))).toBeLessThanOrEqual(10_100);
    expect(new Set(goneAt.slice(0, 20)).size).toBeGreaterThan(3);
  });

  it('does not lend a resource whose lifetime is over', async () => {
    const { pool, clock } = makePool({}, { maxLifetimeMs: 1_000, idleTimeoutMs: 100_000_000 });
    await pool.use(() => 1);
    await clock.advance(1_001);
    expect(await pool.use(({ id }) => id)).toBe(2);
    expect(pool.getStats()).toMatchObject({ retired: { lifetime: 1 } });
  });
});

describe('scaling', () => {
  it('grows while somebody waits, shrinks to minSize when idle, and tells why', async () => {
    const { pool, clock } = makePool({}, { minSize: 1, maxSize: 4, idleTimeoutMs: 1_000 });
    const log: string[] = [];
    pool.on('created', ({ reason, size, waiting }) => log.push(`+${size} ${reason} (${waiting} waiting)`));
    pool.on('retired', ({ reason, size }) => log.push(`-${size} ${reason}`));
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    expect(log).toEqual(['+1 waiting (3 waiting)', '+2 waiting (2 waiting)', '+3 waiting (1 waiting)']);
    log.length = 0;
    await clock.advance(2_000);
    expect(log).toEqual(['-2 idle', '-1 idle']);
    expect(pool.getStats()).toMatchObject({ size: 1, idle: 1, retired: { idle: 2 } });
  });

  it('restores minSize after resources broke', async () => {
    const { pool, clock } = makePool({}, { minSize: 2, isBroken: () => true });
    await pool.warmUp();
    await pool.use(() => Promise.reject(new Error('socket died'))).catch(() => {});
    await clock.flush();
    expect(pool.getStats()).toMatchObject({ size: 2, idle: 2, created: { 'min-size': 3 } });
  });

  it('keeps the place of a resource whose destroy hangs for destroyTimeoutMs', async () => {
    const destroy = vi.fn(() => new Promise(() => {}));
    const { pool, clock } = makePool({ destroy }, { maxSize: 1, destroyTimeoutMs: 100 });
    const failures = vi.fn();
    pool.on('destroyFailed', failures);
    (await pool.acquire()).destroy();
    const next = pool.use(({ id }) => id);
    await clock.advance(99);
    expect(pool.getStats()).toMatchObject({ destroying: 1, waiting: 1 });
    await clock.advance(1);
    expect(await next).toBe(2);
    expect(failures).toHaveBeenCalledWith({ error: expect.objectContaining({ code: 'DESCRIBE_TIMEOUT' }) });
  });
});

describe('leak detection', () => {
  it('reports a loan older than leakThresholdMs once, with the stack of its acquire', async () => {
    const { pool, clock } = makePool({}, { leakThresholdMs: 1_000 });
    const leaks: { heldMs: number; acquiredAt: string }[] = [];
    pool.on('leaked', (leak) => leaks.push(leak));
    const borrowForEver = () => pool.use(() => new Promise(() => {}));
    await pool.warmUp();
    void borrowForEver();
    await clock.flush();
    (await pool.acquire()).release();
    await clock.advance(5_000);
    expect(leaks).toHaveLength(1);
    expect(leaks[0]?.heldMs).toBeGreaterThanOrEqual(1_000);
    expect(leaks[0]?.acquiredAt).toContain('resource-pool-lifecycle.test');
    expect(pool.getStats()).toMatchObject({ leaked: 1, borrowed: 1 });
  });

  it('shows the waiting caller too, not only the hand-over', async () => {
    const { pool, clock } = makePool({}, { leakThresholdMs: 1_000, maxSize: 1 });
    const stacks: string[] = [];
    pool.on('leaked', ({ acquiredAt }) => stacks.push(acquiredAt));
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    lease.release();
    await waiting;
    await clock.advance(2_000);
    expect(stacks[0]).toContain('resource-pool-lifecycle.test');
  });
});

describe('a callback of the user that throws', () => {
  it('never changes the outcome: listener, isBroken, destroy', async () => {
    const { pool, create } = makePool(
      {
        destroy: () => {
          throw new Error('destroy');
        },
      },
      {
        isBroken: () => {
          throw new Error('isBroken');
        },
      },
    );
    pool.on('created', () => {
      throw new Error('listener');
    });
    await expect(pool.use(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await pool.use(({ id }) => id)).toBe(2);
    expect(create).toHaveBeenCalledTimes(2);
    await pool.close();
  });
});

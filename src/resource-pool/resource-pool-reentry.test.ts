import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import type { ResourceFactory } from './options/resource-factory.ts';
import type { ResourcePoolOptions } from './options/resource-pool-options.ts';
import { ResourcePool } from './resource-pool.ts';

interface Thing {
  readonly id: number;
}

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
beforeEach(() => {
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

function makePool(hooks: Partial<ResourceFactory<Thing>> = {}, options: Partial<ResourcePoolOptions<Thing>> = {}) {
  const clock = new ManualClock();
  const destroyed: number[] = [];
  let nextId = 1;
  const pool = new ResourcePool<Thing>({
    factory: { create: () => ({ id: nextId++ }), destroy: ({ id }) => destroyed.push(id), ...hooks },
    maxSize: 2,
    clock,
    ...options,
  });
  return { pool, clock, destroyed };
}

async function expectGone({ pool, clock }: ReturnType<typeof makePool>) {
  await clock.advance(1);
  expect(pool.getStats()).toMatchObject({ state: 'closed', size: 0, borrowed: 0, idle: 0, waiting: 0 });
  expect(clock.pendingTimers).toBe(0);
}

describe('a pool that is destroyed from inside of its own work', () => {
  const reason = new Error('enough');

  it('lends nothing when validate destroyed it', async () => {
    let strike = false;
    const made = makePool({
      validate: () => {
        if (strike) void made.pool.destroy(reason);
        return true;
      },
    });
    await made.pool.use(() => 1);
    strike = true;
    await expect(made.pool.use(() => 'lent')).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    expect(made.destroyed).toEqual([1]);
    await expectGone(made);
  });

  it('destroys what was made once when a listener of created destroyed it', async () => {
    const made = makePool();
    made.pool.on('created', () => void made.pool.destroy(reason));
    await expect(made.pool.use(() => 'lent')).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    expect(made.destroyed).toEqual([1]);
    expect(made.pool.getStats().retired.closed).toBe(1);
    await expectGone(made);
  });

  it('lets nobody into its line when a listener of retired destroyed it', async () => {
    const made = makePool({}, { maxLifetimeMs: 100, idleTimeoutMs: 1_000_000 });
    await made.pool.use(() => 1);
    made.pool.on('retired', () => void made.pool.destroy(reason));
    const clock = made.clock as unknown as { now(): number };
    const now = clock.now();
    clock.now = () => now + 200;
    const late = made.pool.use(() => 'lent');
    await expect(late).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    await expectGone(made);
  });

  it('gives a loan back once when isBroken, reset or a listener destroyed it', async () => {
    const byIsBroken = makePool(
      {},
      {
        isBroken: () => {
          void byIsBroken.pool.destroy(reason);
          return true;
        },
      },
    );
    await expect(byIsBroken.pool.use(() => Promise.reject(reason))).rejects.toBe(reason);
    await expectGone(byIsBroken);
    const byReset = makePool({ reset: () => void byReset.pool.destroy(reason) });
    expect(await byReset.pool.use(() => 1)).toBe(1);
    await expectGone(byReset);
    const byListener = makePool({}, { isBroken: () => true });
    byListener.pool.on('retired', () => void byListener.pool.destroy(reason));
    await expect(byListener.pool.use(() => Promise.reject(reason))).rejects.toBe(reason);
    await expectGone(byListener);
    expect([byIsBroken, byReset, byListener].map(({ destroyed }) => destroyed)).toEqual([[1], [1], [1]]);
  });

  it('makes nothing more when create or destroy destroyed it', async () => {
    let next = 1;
    const byCreate = makePool({
      create: () => {
        void byCreate.pool.destroy(reason);
        return { id: next++ };
      },
    });
    await expect(byCreate.pool.use(() => 1)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    await expectGone(byCreate);
    const byDestroy = makePool({ destroy: () => void byDestroy.pool.destroy(reason) });
    const lease = await byDestroy.pool.acquire();
    lease.destroy();
    await expectGone(byDestroy);
  });
});

describe('a factory whose destroy calls its pool', () => {
  it('gets no place that is not free yet', async () => {
    const later: Promise<unknown>[] = [];
    const { pool, clock } = makePool(
      {
        destroy: () => {
          later.push(pool.use(() => 1).catch(({ code }) => code));
          return new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 10));
        },
      },
      { maxSize: 1 },
    );
    const lease = await pool.acquire();
    lease.destroy();
    expect(pool.getStats()).toMatchObject({ size: 1, creating: 0, destroying: 1, waiting: 1 });
    await clock.advance(20);
    expect(await later[0]).toBe(1);
    const ended = pool.destroy();
    await clock.advance(20);
    await ended;
    expect(await later[1]).toBe('DESCRIBE_CLOSED');
  });

  it('is told that the pool took back what it releases while the pool ends', async () => {
    const leases: { release(): void }[] = [];
    const told: unknown[] = [];
    const made = makePool({
      destroy: () => {
        try {
          leases[1]?.release();
        } catch (error) {
          told.push((error as { code: unknown }).code);
        }
      },
    });
    leases.push(await made.pool.acquire(), await made.pool.acquire());
    await made.pool.destroy();
    expect(told).toEqual(['DESCRIBE_LEASE_INVALID', 'DESCRIBE_LEASE_INVALID']);
    await expectGone(made);
  });
});

describe('acquirers that leave while others are served', () => {
  it('keeps a resource whose last waiter left during its validation', async () => {
    const controller = new AbortController();
    let strike = false;
    const { pool } = makePool(
      {
        validate: () => {
          if (strike) controller.abort(new Error('left'));
          return true;
        },
      },
      { maxSize: 1 },
    );
    const lease = await pool.acquire();
    const waiting = pool.acquire({ signal: controller.signal });
    strike = true;
    lease.release();
    await expect(waiting).rejects.toThrow('left');
    expect(pool.getStats()).toMatchObject({ idle: 1, borrowed: 0, waiting: 0 });
    expect(await pool.use(({ id }) => id)).toBe(1);
    await pool.destroy();
  });

  it('times out those behind one that a listener of acquireTimedOut made leave', async () => {
    const { pool, clock } = makePool({}, { maxSize: 1, acquireTimeoutMs: 100 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    pool.on('acquireTimedOut', () => controller.abort(new Error('left')));
    const first = pool.acquire();
    const second = pool.acquire({ signal: controller.signal });
    const settled = Promise.allSettled([first, second]);
    await clock.advance(50);
    const third = pool.acquire();
    const rejected = expect(third).rejects.toMatchObject({ code: 'DESCRIBE_POOL_TIMEOUT' });
    await clock.advance(60);
    expect((await settled).map((one) => String((one as PromiseRejectedResult).reason))).toEqual([
      expect.stringContaining('acquireTimeoutMs'),
      'Error: left',
    ]);
    await clock.advance(60);
    expect(pool.getStats()).toMatchObject({ waiting: 0, timedOut: 2, aborted: 1 });
    await rejected;
    lease.release();
    await pool.destroy();
  });

  it('keeps the time of those behind one whose listener of acquireTimedOut acquires again', async () => {
    const { pool, clock } = makePool({}, { maxSize: 1, acquireTimeoutMs: 100 });
    const lease = await pool.acquire();
    const times: number[] = [];
    const wait = () => void pool.acquire().catch(() => times.push(clock.now()));
    let again = true;
    pool.on('acquireTimedOut', () => {
      if (again) wait();
      again = false;
    });
    const start = clock.now();
    wait();
    await clock.advance(50);
    wait();
    await clock.advance(200);
    expect(times.map((time) => time - start)).toEqual([100, 150, 200]);
    lease.release();
    await pool.destroy();
  });

  it.each([{ priority: Number.NaN }, { timeoutMs: Number.NaN }, { timeoutMs: 0 }, { timeoutMs: '9' as never }])(
    'are told that %o is wrong whether they would wait or not',
    async (options) => {
      const { pool } = makePool();
      await pool.use(() => 1);
      await expect(pool.use(() => 1, options)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
      await expect(pool.acquire(options)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
      await pool.destroy();
    },
  );
});

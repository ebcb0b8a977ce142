import { describe, expect, it } from 'vitest';
import { codeOf, makePool } from './thing-pool.fixture.ts';

describe('the end of a ResourcePool', () => {
  it('detects a release after the pool took the resource back', async () => {
    const { pool, destroy } = makePool();
    const lease = await pool.acquire();
    await pool.destroy(new Error('stop'));
    expect(destroy).toHaveBeenCalledTimes(1);
    expect(() => lease.release()).toThrowError(/pool was closed/);
  });

  it('drains: serves who waits, refuses who comes, resolves when all is back', async () => {
    const { pool } = makePool({ maxSize: 1 });
    const lease = await pool.acquire();
    const waiting = pool.use(({ id }) => id);
    const drained = pool.drain();
    expect(await codeOf(pool.acquire())).toBe('DESCRIBE_CLOSED');
    lease.release();
    expect(await waiting).toBe(1);
    await drained;
    expect(pool.getStats()).toMatchObject({ state: 'draining', idle: 1 });
    await pool.close();
    expect(pool.getStats()).toMatchObject({ state: 'closed', size: 0, idle: 0 });
  });

  it('takes back by force what is not back when the drain of a close runs out', async () => {
    const { pool, clock, destroy } = makePool();
    const lease = await pool.acquire();
    const drain = codeOf(pool.drain({ timeoutMs: 50 }));
    const closed = pool.close({ timeoutMs: 100 });
    await clock.advance(50);
    expect(await drain).toBe('DESCRIBE_TIMEOUT');
    expect(destroy).not.toHaveBeenCalled();
    await clock.advance(50);
    await closed;
    expect(destroy).toHaveBeenCalledWith({ id: 1 });
    expect(() => lease.release()).toThrow();
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects who waits when it is destroyed, with the reason as cause', async () => {
    const { pool, clock } = makePool({ maxSize: 1 });
    await pool.acquire();
    const reason = new Error('shutdown');
    const waiting = pool.acquire();
    const ended = pool.destroy(reason);
    await expect(waiting).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED', cause: reason });
    await ended;
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends while a create hangs', async () => {
    const { pool, clock } = makePool({ factory: { create: () => new Promise(() => {}), destroy: () => {} } });
    const waiting = codeOf(pool.acquire());
    await pool.destroy();
    expect(await waiting).toBe('DESCRIBE_CLOSED');
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([Number.NaN, -1, '5' as never])('takes no %s for a time to drain, and stays open', async (timeoutMs) => {
    const { pool, clock } = makePool();
    const lease = await pool.acquire();
    expect(await codeOf(pool.close({ timeoutMs }))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(pool.drain({ timeoutMs }))).toBe('DESCRIBE_INPUT_INVALID');
    expect(pool.getStats()).toMatchObject({ state: 'open', borrowed: 1 });
    const closed = pool.close({ timeoutMs: 0 });
    await clock.advance(1);
    await closed;
    expect(() => lease.release()).toThrowError(/taken the resource back/);
  });
});

import { describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import type { ResourcePoolOptions } from './options/resource-pool-options.ts';
import { codeOf, makePool, type Thing } from './thing-pool.fixture.ts';

describe('ResourcePool', () => {
  it('makes nothing before its first use', async () => {
    const { pool, clock, create } = makePool({ minSize: 2 });
    await clock.advance(60_000);
    expect(create).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
    await pool.close();
  });

  it('keeps minSize once it was used', async () => {
    const { pool, clock, create } = makePool({ minSize: 2 });
    const lease = await pool.acquire();
    await clock.flush();
    expect(create).toHaveBeenCalledTimes(2);
    lease.release();
    await pool.close();
  });

  it('makes minSize resources at warmUp', async () => {
    const { pool, create } = makePool({ minSize: 2, maxSize: 5 });
    await pool.warmUp();
    expect(create).toHaveBeenCalledTimes(2);
    expect(pool.getStats()).toMatchObject({ size: 2, idle: 2, created: { 'min-size': 2 } });
    await pool.close();
  });

  it('lends the resource that came back last', async () => {
    const { pool } = makePool();
    const first = await pool.acquire();
    const second = await pool.acquire();
    const { resource } = first;
    second.release();
    first.release();
    expect((await pool.acquire()).resource).toBe(resource);
    await pool.destroy();
  });

  it('serves who waits by priority, then in order', async () => {
    const { pool } = makePool({ maxSize: 1 });
    const lease = await pool.acquire();
    const order: string[] = [];
    const wait = (name: string, priority?: number) => pool.use(() => order.push(name), { priority });
    const all = [wait('a'), wait('b', 5), wait('c'), wait('d', 5), wait('e', -1)];
    lease.release();
    await Promise.all(all);
    expect(order).toEqual(['b', 'd', 'a', 'c', 'e']);
    await pool.close();
  });

  it('leaves the queue at once when the signal aborts, with its reason', async () => {
    const { pool } = makePool({ maxSize: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = pool.acquire({ signal: controller.signal });
    controller.abort(reason);
    expect(pool.getStats().waiting).toBe(0);
    await expect(waiting).rejects.toBe(reason);
    lease.release();
    expect(pool.getStats()).toMatchObject({ idle: 1, aborted: 1 });
    await pool.close();
  });

  it('gives up a wait after acquireTimeoutMs, or after its own timeout', async () => {
    const { pool, clock } = makePool({ maxSize: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const common = codeOf(pool.acquire());
    const own = codeOf(pool.acquire({ timeoutMs: 100 }));
    await clock.advance(100);
    expect(await own).toBe('DESCRIBE_POOL_TIMEOUT');
    expect(pool.getStats().waiting).toBe(1);
    await clock.advance(900);
    expect(await common).toBe('DESCRIBE_POOL_TIMEOUT');
    lease.release();
    await pool.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('refuses who comes when maxWaiting wait', async () => {
    const { pool } = makePool({ maxSize: 1, maxWaiting: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'DESCRIBE_QUEUE_FULL',
      option: 'maxWaiting',
      limit: 1,
    });
    lease.release();
    (await waiting).release();
    await pool.close();
  });

  it('releases on every path of use and keeps the resource', async () => {
    const { pool, create } = makePool({ maxSize: 1 });
    await expect(
      pool.use(() => {
        throw new Error('sync');
      }),
    ).rejects.toThrow('sync');
    await expect(pool.use(() => Promise.reject(new Error('async')))).rejects.toThrow('async');
    expect(await pool.use(({ id }) => id)).toBe(1);
    expect(create).toHaveBeenCalledTimes(1);
    await pool.close();
  });

  it('destroys the resource of a failed use when isBroken says so', async () => {
    const { pool, destroy } = makePool({ isBroken: (error) => String(error).includes('socket') });
    await expect(pool.use(() => Promise.reject(new Error('status 429')))).rejects.toThrow();
    expect(destroy).not.toHaveBeenCalled();
    await expect(pool.use(() => Promise.reject(new Error('socket died')))).rejects.toThrow();
    expect(destroy).toHaveBeenCalledTimes(1);
    expect(pool.getStats()).toMatchObject({ retired: { broken: 1 }, idle: 0 });
    await pool.close();
  });

  it('tells the waiting acquirer why the resource could not be made', async () => {
    const cause = new Error('refused');
    const { pool } = makePool({ factory: { create: () => Promise.reject(cause), destroy: () => {} } });
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'DESCRIBE_POOL_CREATE_FAILED',
      message: 'resource pool: factory.create failed: refused',
      cause,
    });
    await pool.close();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('sync');
      },
    ],
    ['resolves undefined', () => Promise.resolve(undefined as unknown as Thing)],
  ])('gives a typed error when the factory %s, and works afterwards', async (_, bad) => {
    const create = vi.fn<() => Thing | Promise<Thing>>(() => ({ id: 1 }));
    create.mockImplementationOnce(bad);
    const { pool, clock } = makePool({ factory: { create, destroy: () => {} } });
    expect(await codeOf(pool.acquire())).toBe('DESCRIBE_POOL_CREATE_FAILED');
    const next = pool.acquire();
    await clock.advance(300);
    expect((await next).resource.id).toBe(1);
    await pool.destroy();
  });

  it('lets a hung create cost its own acquirer only, and destroys what arrives late', async () => {
    const late = new Deferred<Thing>();
    const create = vi.fn<() => Thing | Promise<Thing>>(() => ({ id: 2 }));
    create.mockImplementationOnce(() => late.promise);
    const destroy = vi.fn();
    const { pool, clock } = makePool({ factory: { create, destroy }, createTimeoutMs: 50 });
    const hung = codeOf(pool.acquire());
    const other = await pool.acquire({ priority: 1 });
    await clock.advance(50);
    expect(await hung).toBe('DESCRIBE_POOL_CREATE_FAILED');
    late.resolve({ id: 99 });
    await clock.flush();
    expect(destroy).toHaveBeenCalledWith({ id: 99 });
    other.release();
    await pool.close();
  });

  it('serves who waits from what comes back while the create for them hangs', async () => {
    const create = vi.fn<() => Thing | Promise<Thing>>(() => ({ id: 1 }));
    const { pool } = makePool({ factory: { create, destroy: () => {}, validate: () => true } });
    const lease = await pool.acquire();
    create.mockImplementation(() => new Promise(() => {}));
    const waiting = pool.use(({ id }) => id);
    lease.release();
    expect(await waiting).toBe(1);
    await pool.destroy();
  });

  it('makes another for a waiter whose own went to an earlier one', async () => {
    let creates = 1;
    const create = vi.fn<() => Thing | Promise<Thing>>(() => ({ id: ++creates }));
    create.mockImplementationOnce(() => new Promise(() => {}));
    const { pool } = makePool({ factory: { create, destroy: () => {} }, maxSize: 3 });
    const first = pool.acquire();
    const second = pool.acquire();
    expect([(await first).resource.id, (await second).resource.id]).toEqual([2, 3]);
    await pool.destroy();
  });

  it('refuses a priority or a timeout that is no number', async () => {
    const { pool } = makePool({ maxSize: 1 });
    const lease = await pool.acquire();
    for (const options of [{ priority: Number.NaN }, { timeoutMs: Number.NaN }, { timeoutMs: 0 }, { timeoutMs: -1 }]) {
      expect(await codeOf(pool.acquire(options))).toBe('DESCRIBE_INPUT_INVALID');
    }
    lease.release();
    await pool.close();
  });

  it('detects a lease that is released twice, used after its end, or not its own', async () => {
    const { pool } = makePool();
    const { pool: stranger } = makePool();
    const lease = await pool.acquire();
    expect(() => stranger.release(lease)).toThrowError(/not a lease/);
    lease.release();
    expect(() => lease.release()).toThrowError(/after its end/);
    expect(() => lease.resource).toThrowError(/has ended/);
    expect(pool.getStats()).toMatchObject({ borrowed: 0, idle: 1 });
    await lease[Symbol.asyncDispose]();
    await pool.close();
  });

  it('lets the default of maxSize give way to minSize', async () => {
    const { pool } = makePool({ minSize: 12, maxSize: undefined });
    expect(pool.getStats()).toMatchObject({ minSize: 12, maxSize: 12 });
    await pool.close();
  });

  it.each([
    [{ minSize: 3, maxSize: 2 }, /minSize: expected at most maxSize/],
    [{ maxSize: 0 }, /maxSize/],
    [{ minSize: -1 }, /minSize/],
    [{ factory: { create: () => ({ id: 1 }) } as never }, /factory: .* got an object without destroy$/],
    [
      { factory: { create: () => ({ id: 1 }), destroy: () => {}, validate: true as never } },
      /factory.validate: expected a function/,
    ],
    [{ createBackoff: { initialDelayMs: 20, maxDelayMs: 10 } }, /maxDelayMs: expected at least/],
    [{ createBackoff: { initialDelayMs: 1, maxDelayMs: 10, factor: 3 } as never }, /createBackoff.factor/],
    [{ clock: 5 as never }, /clock: expected a clock/],
    [{ maxSiz: 3 } as never, /did you mean maxSize/],
  ])('refuses wrong options %#', (options, message) => {
    const error = (() => {
      try {
        makePool(options as Partial<ResourcePoolOptions<Thing>>);
        return undefined;
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toMatchObject({ code: 'DESCRIBE_CONFIG_INVALID', message: expect.stringMatching(message) });
  });
});

import { createPool } from 'generic-pool';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/**
 * The behaviour of generic-pool 3.9 that `SlotEngine` relies on or works around. When a test fails after an upgrade,
 * check `slot-engine.ts`.
 */
const flush = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Thing {
  readonly id?: number;
}
const make = async (): Promise<Thing> => ({});
const drop = async () => {};

describe('generic-pool, relied on', () => {
  it('calls create within acquire, once an acquire, while everything is on loan', async () => {
    const create = vi.fn(make);
    const pool = createPool<Thing>({ create, destroy: drop }, { max: 3, autostart: false });
    void pool.acquire();
    expect(create).toHaveBeenCalledTimes(1);
    void pool.acquire();
    expect(create).toHaveBeenCalledTimes(2);
    await flush();
    expect(pool).toMatchObject({ size: 2, borrowed: 2, available: 0 });
  });

  it('forgets a loan before destroy is called, and starts nothing by itself at min 0', async () => {
    const create = vi.fn(make);
    const sizes: number[] = [];
    const pool = createPool<Thing>(
      {
        create,
        destroy: async () => {
          sizes.push(pool.size);
        },
      },
      { max: 1, min: 0, autostart: false },
    );
    await pool.destroy(await pool.acquire());
    expect(sizes).toEqual([0]);
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('sets no timer with evictionRunIntervalMillis 0 and no acquire timeout', async () => {
    const pool = createPool<Thing>(
      { create: make, destroy: drop },
      { max: 1, evictionRunIntervalMillis: 0, autostart: false },
    );
    await pool.acquire();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('drains and clears once every loan was destroyed', async () => {
    const pool = createPool<Thing>({ create: make, destroy: drop }, { max: 1, autostart: false });
    await pool.destroy(await pool.acquire());
    await pool.drain();
    await pool.clear();
    await expect(pool.acquire()).rejects.toThrow(/draining/);
  });
});

describe('generic-pool, fenced', () => {
  it('creates again and again when create rejects, and never tells the acquirer (1)', async () => {
    let creates = 0;
    const told = vi.fn();
    const pool = createPool<Thing>(
      {
        create: () => {
          creates += 1;
          return creates > 50 ? new Promise<Thing>(() => {}) : Promise.reject(new Error('refused'));
        },
        destroy: drop,
      },
      { max: 1, autostart: false },
    );
    pool.acquire().then(told, told);
    await flush();
    expect(creates).toBe(51);
    expect(told).not.toHaveBeenCalled();
  });

  it('leaves a ghost waiter when create throws (2)', () => {
    const pool = createPool<Thing>(
      {
        create: () => {
          throw new Error('sync');
        },
        destroy: drop,
      },
      { max: 1, autostart: false },
    );
    expect(() => pool.acquire()).toThrow('sync');
    expect(pool.pending).toBe(1);
  });

  it('waits for ever for a create that hangs (3)', async () => {
    const told = vi.fn();
    const pool = createPool<Thing>(
      { create: () => new Promise(() => {}), destroy: drop },
      { max: 1, autostart: false },
    );
    pool.acquire().then(told, told);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(told).not.toHaveBeenCalled();
  });

  it('leaks the slot and an unhandled rejection when validate rejects (4)', async () => {
    const unhandled = vi.fn();
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', unhandled);
    const pool = createPool<Thing>(
      { create: make, destroy: drop, validate: () => Promise.reject(new Error('bad')) },
      { max: 1, testOnBorrow: true, autostart: false },
    );
    void pool.acquire();
    await flush();
    await new Promise((resolve) => setImmediate(resolve));
    process.removeListener('unhandledRejection', unhandled);
    for (const listener of listeners) process.on('unhandledRejection', listener);
    expect(unhandled).toHaveBeenCalled();
    expect(pool).toMatchObject({ size: 1, available: 0, borrowed: 0, pending: 1 });
  });

  it('validates nothing on return (5)', async () => {
    const validate = vi.fn(async () => true);
    const pool = createPool<Thing>({ create: make, destroy: drop, validate }, {
      max: 1,
      testOnReturn: true,
    } as object);
    await pool.release(await pool.acquire());
    expect(validate).not.toHaveBeenCalled();
  });

  it('never releases when the function of use throws, and destroys on any rejection (6)', async () => {
    const destroy = vi.fn(drop);
    const pool = createPool<Thing>({ create: make, destroy }, { max: 2, autostart: false });
    const thrown = pool.use(() => {
      throw new Error('sync');
    });
    await expect(thrown).rejects.toThrow('sync');
    expect(pool.borrowed).toBe(1);
    await expect(pool.use(() => Promise.reject(new Error('429')))).rejects.toThrow('429');
    expect(destroy).toHaveBeenCalledTimes(1);
  });

  it('hands out what clear has destroyed (7)', async () => {
    const destroyed: Thing[] = [];
    const pool = createPool<Thing>(
      {
        create: make,
        destroy: async (thing) => {
          destroyed.push(thing);
        },
      },
      { max: 1, autostart: false },
    );
    await pool.release(await pool.acquire());
    await pool.clear();
    expect(destroyed).toContain(await pool.acquire());
  });

  it('drains for ever while a loan is out (8)', async () => {
    const told = vi.fn();
    const pool = createPool<Thing>({ create: make, destroy: drop }, { max: 1, autostart: false });
    await pool.acquire();
    void pool.drain().then(told);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(told).not.toHaveBeenCalled();
  });

  it('evicts below min by idleTimeoutMillis, and makes anew what it evicted (9)', async () => {
    const create = vi.fn(make);
    const destroy = vi.fn(drop);
    const pool = createPool<Thing>(
      { create, destroy },
      { max: 2, min: 1, idleTimeoutMillis: 10, evictionRunIntervalMillis: 20 },
    );
    await vi.advanceTimersByTimeAsync(100);
    expect(destroy).toHaveBeenCalled();
    expect(create.mock.calls.length).toBeGreaterThan(1);
    await pool.drain();
  });

  it('throws out of its own timer when destroy throws (10)', () => {
    const pool = createPool<Thing>(
      {
        create: make,
        destroy: () => {
          throw new Error('sync');
        },
      },
      { max: 1, autostart: false },
    );
    return pool.acquire().then((thing) => {
      expect(() => pool.destroy(thing)).toThrow('sync');
    });
  });

  it('polls for ever in ready when min can not be made (11)', async () => {
    const told = vi.fn();
    const pool = createPool<Thing>({ create: () => new Promise(() => {}), destroy: drop }, { max: 1, min: 1 });
    void pool.ready().then(told);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(1);
  });

  it('rejects the release of what is not on loan (12), known by identity only (13)', async () => {
    const same: Thing = {};
    const pool = createPool<Thing>({ create: async () => same, destroy: drop }, { max: 2, autostart: false });
    await pool.acquire();
    await pool.acquire();
    expect(pool.borrowed).toBe(1);
    await pool.release(same);
    await expect(pool.release(same)).rejects.toThrow(/not currently part/);
  });

  it('makes more than max while destroys are under way (14)', async () => {
    let alive = 0;
    let most = 0;
    const pool = createPool<Thing>(
      {
        create: async () => {
          alive += 1;
          most = Math.max(most, alive);
          return {};
        },
        destroy: () =>
          new Promise<void>((resolve) => {
            setTimeout(() => {
              alive -= 1;
              resolve();
            }, 100);
          }),
      },
      { max: 1, autostart: false },
    );
    await pool.destroy(await pool.acquire());
    await pool.acquire();
    expect(most).toBe(2);
    await vi.advanceTimersByTimeAsync(100);
  });

  it('knows no end of use or age, and takes no signal (15)', async () => {
    const destroy = vi.fn(drop);
    const pool = createPool<Thing>({ create: make, destroy }, { max: 1, autostart: false });
    for (let use = 0; use < 1_000; use += 1) await pool.release(await pool.acquire());
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(destroy).not.toHaveBeenCalled();
    await pool.acquire();
    void pool.acquire(AbortSignal.abort() as never);
    await flush();
    expect(pool.pending).toBe(1);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { PoolManager, poolManager } from './pool-manager.ts';

const KEY = 'sk-secret-of-this-test';

describe('PoolManager', () => {
  it('gives the same pool for the same key and base URL', async () => {
    const manager = new PoolManager();
    const pool = manager.getPool(KEY);
    expect(manager.getPool(KEY)).toBe(pool);
    expect(manager.getPool(KEY, 'https://api.openai.com/v1', { max: 3 })).toBe(pool);
    expect(manager.getPool(KEY, 'https://elsewhere.example/v1')).not.toBe(pool);
    expect(manager.getPool('sk-other')).not.toBe(pool);
    await manager.closeAll();
  });

  it('shows no key, and names that differ from manager to manager', async () => {
    const [first, second] = [new PoolManager(), new PoolManager()];
    first.getPool(KEY);
    second.getPool(KEY);
    expect(JSON.stringify(first.getStats())).not.toContain(KEY);
    expect(Object.keys(first.getStats())).not.toEqual(Object.keys(second.getStats()));
    await Promise.all([first.closeAll(), second.closeAll()]);
  });

  it('makes a pool anew after it was closed', async () => {
    const manager = new PoolManager();
    const pool = manager.getPool(KEY);
    await pool.close();
    const next = manager.getPool(KEY);
    expect(next).not.toBe(pool);
    expect(next.getStats().state).toBe('open');
    await manager.closeAll();
    expect(next.getStats().state).toBe('closed');
    expect(manager.getStats()).toEqual({});
  });

  it('evicts the pool that was unused longest', async () => {
    const manager = new PoolManager({ maxPools: 2 });
    const [a, b] = [manager.getPool('sk-a'), manager.getPool('sk-b')];
    manager.getPool('sk-a');
    const c = manager.getPool('sk-c');
    expect([a, b, c].map((pool) => pool.getStats().state)).toEqual(['open', 'closed', 'open']);
    await manager.closeAll();
  });

  it('refuses one more pool while all are in use', async () => {
    const manager = new PoolManager({ maxPools: 1 });
    const lease = await manager.getPool('sk-a').acquire();
    expect(() => manager.getPool('sk-b')).toThrowError(
      expect.objectContaining({ code: 'DESCRIBE_QUEUE_FULL', option: 'maxPools', limit: 1 }),
    );
    lease.release();
    expect(manager.getPool('sk-b').getStats().state).toBe('open');
    await manager.closeAll();
  });

  it('evicts nothing for a pool whose options are wrong', async () => {
    const manager = new PoolManager({ maxPools: 1 });
    const pool = manager.getPool('sk-a');
    expect(() => manager.getPool('sk-b', undefined, { max: 0 })).toThrowError(/max/);
    expect(pool.getStats().state).toBe('open');
    await manager.closeAll();
  });

  it('takes a base URL with a slash at its end for the same', async () => {
    const manager = new PoolManager();
    expect(manager.getPool(KEY, 'https://api.openai.com/v1/')).toBe(manager.getPool(KEY));
    await manager.closeAll();
  });

  it('closes a pool that nobody asked for or used for idleTimeoutMs, and sets no timer then', async () => {
    const clock = new ManualClock();
    const manager = new PoolManager({ idleTimeoutMs: 1_000, clock });
    const [used, unused] = [manager.getPool('sk-a'), manager.getPool('sk-b')];
    for (let step = 0; step < 4; step += 1) {
      await clock.advance(500);
      await used.use(() => 1);
    }
    expect([used, unused].map((pool) => pool.getStats().state)).toEqual(['open', 'closed']);
    await clock.advance(2_000);
    expect(used.getStats().state).toBe('closed');
    expect(clock.pendingTimers).toBe(0);
  });

  it('lists every wrong option', () => {
    expect(() => new PoolManager({ maxPools: 0, idleTimeoutMs: -1 })).toThrowError(/maxPools.*idleTimeoutMs/);
    expect(() => poolManager.getPool('')).toThrowError(/apiKey/);
  });
});

describe('the pools of the process', () => {
  afterEach(async () => {
    vi.unstubAllEnvs();
    await poolManager.closeAll();
  });

  it('go where the environment says, and are as large, unless the caller says so', () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1');
    vi.stubEnv('OPENAI_POOL_MIN_SIZE', '1');
    vi.stubEnv('OPENAI_POOL_MAX_SIZE', '4');
    const pool = poolManager.getPool(KEY);
    expect(pool.getStats()).toMatchObject({ origin: 'http://127.0.0.1:9', minSize: 1, maxSize: 4 });
    expect(poolManager.getPool(KEY, 'http://127.0.0.1:9/v1')).toBe(pool);
    expect(poolManager.getPool(KEY, 'http://127.0.0.1:8/v1', { max: 1 }).getStats()).toMatchObject({
      origin: 'http://127.0.0.1:8',
      minSize: 1,
      maxSize: 1,
    });
  });

  it('name the variable that does not parse', () => {
    vi.stubEnv('OPENAI_POOL_MAX_SIZE', 'many');
    vi.stubEnv('BATCH_SIZE', 'also wrong, and not asked for');
    expect(() => poolManager.getPool(KEY)).toThrow(/OPENAI_POOL_MAX_SIZE(?!.*BATCH_SIZE)/s);
  });
});

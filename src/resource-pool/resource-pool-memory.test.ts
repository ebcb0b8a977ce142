import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ResourcePool } from './resource-pool.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of heap in use after a garbage collection. */
async function heapInUse(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

const LIMIT_BYTES = 5 * 1024 * 1024;

function makePool(acquireTimeoutMs: number) {
  return new ResourcePool<{ uses: number }>({
    factory: { create: () => ({ uses: 0 }), destroy: () => {} },
    maxSize: 10,
    maxWaiting: 20_000,
    acquireTimeoutMs,
  });
}

describe('the heap', () => {
  it('stays flat over a million acquires and releases, waited for or not', async () => {
    await using pool = makePool(30_000);
    const { signal } = new AbortController();
    const lane = async (times: number) => {
      for (let index = 0; index < times; index += 2) {
        await pool.use((thing) => {
          thing.uses += 1;
        });
        const lease = await pool.acquire({ signal });
        lease.release();
      }
    };
    await Promise.all(Array.from({ length: 32 }, () => lane(1_000)));
    const before = await heapInUse();
    await Promise.all(Array.from({ length: 32 }, () => lane(31_250)));
    const after = await heapInUse();
    expect(pool.getStats().acquired).toBe(32 * 32_250);
    expect(after - before).toBeLessThan(LIMIT_BYTES);
  }, 60_000);

  it('stays flat over a hundred thousand acquires that time out', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    await using pool = makePool(1);
    const leases = await Promise.all(Array.from({ length: 10 }, () => pool.acquire({ timeoutMs: 1_000 })));
    const round = async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 10_000 }, () => pool.acquire()));
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    };
    await round();
    const before = await heapInUse();
    for (let index = 0; index < 10; index += 1) await round();
    const after = await heapInUse();
    expect(pool.getStats()).toMatchObject({ timedOut: 110_000, waiting: 0, borrowed: 10 });
    expect(after - before).toBeLessThan(LIMIT_BYTES);
    for (const lease of leases) lease.release();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  }, 60_000);
});

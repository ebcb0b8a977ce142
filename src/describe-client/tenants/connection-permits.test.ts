import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lease, ResourcePool } from '../../resource-pool/index.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ConnectionPermits } from './connection-permits.ts';

const CLOSE_MS = 5;

/** Pools that share permits, on a manual clock. A connection takes a moment to close. */
function sharedBy(count: number, max: number, createFails: () => boolean = () => false) {
  const clock = new ManualClock();
  const permits = new ConnectionPermits(max, clock);
  const open = { now: 0, most: 0 };
  const pools = Array.from(
    { length: count },
    () =>
      new ResourcePool<object>({
        factory: {
          create: () => {
            if (createFails()) throw new Error('refused');
            open.now += 1;
            open.most = Math.max(open.most, open.now);
            return {};
          },
          destroy: () =>
            new Promise<void>((resolve) => {
              clock.setTimeout(() => {
                open.now -= 1;
                resolve();
              }, CLOSE_MS);
            }),
          validate: () => true,
        },
        maxSize: 10,
        acquireTimeoutMs: 1_000_000,
        permits,
        clock,
      }),
  );
  return { clock, permits, open, pools };
}

/**
 * A pool whose callers repeat calls of `callMs` for ever; counts those that ended, their first and their longest wait.
 */
function busy(pool: ResourcePool<object>, clock: ManualClock, callers: number, callMs: number) {
  const seen = { calls: 0, firstWaitMs: Number.NaN, longestWaitMs: 0, stopped: false };
  const loop = async () => {
    while (!seen.stopped) {
      const sinceMs = clock.now();
      await pool.use(() => {
        const waitMs = clock.now() - sinceMs;
        if (Number.isNaN(seen.firstWaitMs)) seen.firstWaitMs = waitMs;
        seen.longestWaitMs = Math.max(seen.longestWaitMs, waitMs);
        return new Promise<void>((resolve) => void clock.setTimeout(resolve, callMs));
      });
      seen.calls += 1;
    }
  };
  for (let caller = 0; caller < callers; caller += 1) loop().catch(() => {});
  return seen;
}

const sizes = (pools: readonly ResourcePool<object>[]) => pools.map((pool) => pool.getStats().size);

describe('the permits of connections', () => {
  it('let pools together have no more connections than the maximum', async () => {
    const { clock, open, pools, permits } = sharedBy(3, 4);
    const leases = pools.flatMap((pool) => [pool.acquire(), pool.acquire()]);
    await clock.flush();
    expect(open.now).toBe(4);
    expect(permits.taken).toBe(4);
    (await leases[0])?.release();
    await clock.advance(CLOSE_MS * 2);
    expect((await leases[4])?.resource).toBeDefined();
    expect(open.most).toBe(4);
  });

  it('close the connection that is idle for longest for a pool that waits', async () => {
    const { clock, pools } = sharedBy(3, 2);
    const [first, second, third] = pools as [ResourcePool<object>, ResourcePool<object>, ResourcePool<object>];
    await first.use(() => {});
    await clock.advance(1);
    await second.use(() => {});
    const lease = third.acquire();
    await clock.advance(CLOSE_MS);
    await lease;
    expect(sizes(pools)).toEqual([0, 1, 1]);
    expect(first.getStats().retired.yielded).toBe(1);
  });

  it('give a newcomer its share within a call of those that hold everything', async () => {
    const { clock, pools } = sharedBy(5, 20);
    const greedy = pools.slice(0, 2).map((pool) => busy(pool, clock, 1_000, 100));
    await clock.advance(1_000);
    expect(sizes(pools)).toEqual([10, 10, 0, 0, 0]);
    const late = pools.slice(2).map((pool) => busy(pool, clock, 4, 100));
    await clock.advance(1_000);
    const turnMs = 100 + CLOSE_MS;
    for (const { firstWaitMs } of late) expect(firstWaitMs).toBeLessThanOrEqual(turnMs);
    for (const { longestWaitMs } of late) expect(longestWaitMs).toBeLessThanOrEqual(2 * turnMs);
    // 20 permits: 4 for each newcomer, and the rest for the two others.
    expect(Math.max(...sizes(pools)) - Math.min(...sizes(pools))).toBeLessThanOrEqual(1);
    const yielded = () => pools.reduce((sum, pool) => sum + pool.getStats().retired.yielded, 0);
    const before = yielded();
    await clock.advance(10_000);
    expect(yielded()).toBe(before);
    for (const seen of [...greedy, ...late]) seen.stopped = true;
  });

  it('take turns where there are more pools than permits', async () => {
    const { clock, pools, open } = sharedBy(50, 10);
    const seen = pools.map((pool) => busy(pool, clock, 100, 100));
    await clock.advance(2_000);
    const before = seen.map((one) => one.calls);
    await clock.advance(20_000);
    const calls = seen.map((one, index) => one.calls - (before[index] ?? 0));
    expect(Math.max(...calls) - Math.min(...calls)).toBeLessThanOrEqual(2);
    // A pool gets each fifth turn.
    const turnMs = 100 + CLOSE_MS;
    for (const pool of pools) expect(pool.getStats().size).toBeLessThanOrEqual(1);
    expect(Math.min(...calls)).toBeGreaterThanOrEqual(Math.floor(20_000 / turnMs / 5) - 2);
    expect(open.most).toBe(10);
    for (const one of seen) one.stopped = true;
  });

  it('stay with a pool where nobody waits', async () => {
    const { clock, pools } = sharedBy(2, 2);
    const [pool] = pools as [ResourcePool<object>];
    for (let call = 0; call < 5; call += 1) await pool.use(() => clock.flush());
    expect(pool.getStats()).toMatchObject({ size: 1, created: { waiting: 1 }, retired: { yielded: 0 } });
  });

  it('never exceed the maximum, lose none and leave nobody waiting, whatever happens when', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('acquire' as const), pool: fc.nat(5) }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('release' as const), at: fc.nat(40) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('abort' as const), at: fc.nat(40) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('break' as const), at: fc.nat(40) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), pool: fc.nat(3) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(20) }) },
    );
    const story = fc.record({
      steps: fc.array(step, { maxLength: 80 }),
      max: fc.integer({ min: 1, max: 5 }),
      failing: fc.array(fc.boolean(), { maxLength: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ steps, max, failing }) => {
        const outcomes = [...failing];
        const { clock, pools, permits, open } = sharedBy(6, max, () => outcomes.pop() ?? false);
        const waits: { settled: boolean; readonly abort: AbortController }[] = [];
        const held: Lease<object>[] = [];
        const check = () => {
          expect(open.now).toBeLessThanOrEqual(max);
          expect(permits.taken).toBeLessThanOrEqual(max);
          expect(sizes(pools).reduce((sum, size) => sum + size, 0)).toBe(permits.taken);
        };
        for (const next of steps) {
          if (next.kind === 'wait') await clock.advance(next.ms);
          else if (next.kind === 'close') void pools[next.pool]?.destroy();
          else if (next.kind === 'acquire') {
            const wait = { settled: false, abort: new AbortController() };
            waits.push(wait);
            const acquired = pools[next.pool]?.acquire({ signal: wait.abort.signal });
            acquired
              ?.then((lease) => void held.push(lease))
              .catch(() => {})
              .finally(() => {
                wait.settled = true;
              });
          } else if (next.kind === 'abort') waits[next.at % Math.max(1, waits.length)]?.abort.abort('enough');
          else {
            const [lease] = held.splice(next.at % Math.max(1, held.length), 1);
            try {
              if (next.kind === 'break') lease?.destroy();
              else lease?.release();
            } catch {
              // Its pool was destroyed.
            }
          }
          await clock.flush();
          check();
        }
        for (let round = 0; round < 200; round += 1) {
          for (const lease of held.splice(0)) {
            try {
              lease.release();
            } catch {
              // Its pool was destroyed.
            }
          }
          await clock.advance(200);
          check();
          if (waits.every(({ settled }) => settled)) break;
        }
        expect(waits.filter(({ settled }) => !settled)).toEqual([]);
        await Promise.all([...pools.map((pool) => pool.destroy()), clock.advance(100)]);
        await clock.advance(100);
        expect({ taken: permits.taken, open: open.now }).toEqual({ taken: 0, open: 0 });
      }),
      { numRuns: Number(process.env['PERMIT_STORIES'] ?? 400), seed: Number(process.env['PERMIT_SEED'] ?? 5) },
    );
  });
});

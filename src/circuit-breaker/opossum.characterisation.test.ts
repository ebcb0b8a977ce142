import { EventEmitter } from 'node:events';
import Opossum from 'opossum';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';

/*
 * The behaviour of opossum that we rely on or work around. When an upgrade changes it, check opossum-engine.ts before
 * changing the expectation.
 */

const made: Opossum[] = [];

function makeOpossum<Args extends unknown[]>(
  action: (...args: Args) => Promise<unknown>,
  options: Opossum.Options | { enableSnapshots?: boolean } = {},
): Opossum<Args> {
  const circuit = new Opossum(action, {
    resetTimeout: 1_000,
    timeout: false,
    ...options,
  } as Opossum.Options<Args>);
  made.push(circuit as unknown as Opossum);
  return circuit;
}

const settle = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);
const boom = new Error('boom');
const act = async (how: 'succeed' | 'fail') => {
  if (how === 'fail') throw boom;
  return 'fine';
};
const hang = () => new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  for (const circuit of made.splice(0)) circuit.shutdown();
  vi.useRealTimers();
});

describe('opossum, relied on', () => {
  const engineOptions = () => ({
    enableSnapshots: false,
    rollingPercentilesEnabled: false,
    rotateBucketController: new EventEmitter(),
  });

  it('starts no timer until it opens, given its own rotate controller and no snapshots', () => {
    const circuit = makeOpossum(act, engineOptions());
    expect(vi.getTimerCount()).toBe(0);
    circuit.open();
    expect(vi.getTimerCount()).toBe(1);
  });

  it('reads resetTimeout when it opens, tells when it half-opens, and stays so until told', () => {
    const circuit = makeOpossum(act, engineOptions());
    const halfOpened = vi.fn();
    circuit.on('halfOpen', halfOpened);
    (circuit as unknown as { options: { resetTimeout: number } }).options.resetTimeout = 300;
    circuit.open();
    vi.advanceTimersByTime(299);
    expect(circuit.opened).toBe(true);
    vi.advanceTimersByTime(1);
    expect(circuit.halfOpen).toBe(true);
    expect(halfOpened).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000_000);
    expect(circuit.halfOpen).toBe(true);
  });

  it('starts a new timer when it opens from half-open', () => {
    const circuit = makeOpossum(act, engineOptions());
    circuit.open();
    vi.advanceTimersByTime(1_000);
    circuit.open();
    expect(circuit.opened).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(circuit.halfOpen).toBe(true);
  });

  it('clears the reset timer at its end', () => {
    const circuit = makeOpossum(act, engineOptions());
    circuit.open();
    circuit.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('unrefs the reset timer', () => {
    vi.useRealTimers();
    const circuit = makeOpossum(act, engineOptions());
    const started = vi.spyOn(globalThis, 'setTimeout');
    circuit.open();
    const [timer] = started.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(timer?.hasRef()).toBe(false);
    started.mockRestore();
  });

  it('ignores open() while open, so that the first timer goes on', () => {
    const circuit = makeOpossum(act, engineOptions());
    circuit.open();
    vi.advanceTimersByTime(600);
    circuit.open();
    vi.advanceTimersByTime(400);
    expect(circuit.halfOpen).toBe(true);
  });
});

describe('opossum, fenced off', () => {
  it('counts a call when it starts but its failure when it ends, so that the ratio passes 100 %', async () => {
    const circuit = makeOpossum(act, { timeout: 30_000, volumeThreshold: 5, errorThresholdPercentage: 50 });
    const slow = Object.assign(circuit, { action: hang });
    const calls = Array.from({ length: 20 }, () => settle(slow.fire('fail')));
    await vi.advanceTimersByTimeAsync(30_000);
    await Promise.all(calls);
    // All 20 timed out, and yet the window that holds the failures holds no call any more: below the volume, not open.
    expect(circuit.stats).toMatchObject({ fires: 0, failures: 20 });
    expect(circuit.closed).toBe(true);
  });

  it('opens on the first failure by default', async () => {
    const circuit = makeOpossum(act);
    await settle(circuit.fire('fail'));
    expect(circuit.opened).toBe(true);
  });

  it('counts rejected calls, cache hits and coalesced ones as calls', async () => {
    const circuit = makeOpossum(act);
    await settle(circuit.fire('fail'));
    await settle(circuit.fire('succeed'));
    expect(circuit.stats).toMatchObject({ fires: 2, rejects: 1 });
    const cached = makeOpossum(act, { cache: true });
    await cached.fire('succeed');
    await cached.fire('succeed');
    expect(cached.stats).toMatchObject({ fires: 2, successes: 1, cacheHits: 1 });
    const coalesced = makeOpossum(act, { coalesce: true, timeout: 1_000 } as Opossum.Options);
    await Promise.all([coalesced.fire('succeed'), coalesced.fire('succeed')]);
    expect(coalesced.stats).toMatchObject({ fires: 2, successes: 1, coalesceCacheHits: 1 });
  });

  it('aborts all calls with one controller when one times out, and later ones are born aborted', async () => {
    const abortController = new AbortController();
    const born: boolean[] = [];
    const circuit = makeOpossum(
      () => {
        born.push(abortController.signal.aborted);
        return hang();
      },
      { timeout: 100, abortController, volumeThreshold: 100 },
    );
    const first = settle(circuit.fire());
    await vi.advanceTimersByTimeAsync(60);
    void settle(circuit.fire());
    await vi.advanceTimersByTimeAsync(40);
    await first;
    expect(abortController.signal.aborted).toBe(true);
    void settle(circuit.fire());
    expect(born).toEqual([false, false, true]);
  });

  it('frees capacity at a timeout although the work still runs', async () => {
    let running = 0;
    const circuit = makeOpossum(
      () => {
        running += 1;
        return hang();
      },
      { timeout: 100, capacity: 1, volumeThreshold: 100 },
    );
    const first = settle(circuit.fire());
    await vi.advanceTimersByTimeAsync(100);
    await first;
    void settle(circuit.fire());
    expect(running).toBe(2);
  });

  it('rejects for ever behind a half-open probe that never ends', async () => {
    const circuit = makeOpossum(hang);
    circuit.open();
    await vi.advanceTimersByTimeAsync(1_000);
    void settle(circuit.fire());
    await vi.advanceTimersByTimeAsync(10_000_000);
    await expect(circuit.fire()).rejects.toMatchObject({ code: 'EOPENBREAKER' });
  });

  it('is closed by the success of a call that began before the break', async () => {
    const gate = new Deferred<string>();
    const circuit = makeOpossum((early: boolean) => (early ? gate.promise : Promise.reject(boom)));
    const early = circuit.fire(true);
    await settle(circuit.fire(false));
    // One failure of two calls is not more than half: the comparison is strict.
    expect(circuit.closed).toBe(true);
    await settle(circuit.fire(false));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(circuit.halfOpen).toBe(true);
    gate.resolve('old news');
    await early;
    expect(circuit.closed).toBe(true);
  });

  it('takes a filtered error for a success, which closes a half-open circuit', async () => {
    const circuit = makeOpossum(act, { errorFilter: () => true });
    circuit.open();
    await vi.advanceTimersByTimeAsync(1_000);
    await settle(circuit.fire('fail'));
    expect(circuit.stats.successes).toBe(1);
    expect(circuit.closed).toBe(true);
  });

  it('lets one probe through, not more', async () => {
    const circuit = makeOpossum(hang);
    circuit.open();
    await vi.advanceTimersByTimeAsync(1_000);
    void settle(circuit.fire());
    await expect(circuit.fire()).rejects.toMatchObject({ code: 'EOPENBREAKER' });
  });

  it('has the time of its construction as lastTimerAt, however late it opens', async () => {
    const constructedAt = Date.now();
    const circuit = makeOpossum(act);
    await vi.advanceTimersByTimeAsync(5_000);
    circuit.open();
    expect((circuit.toJSON().state as unknown as { lastTimerAt: number }).lastTimerAt).toBe(constructedAt);
  });

  it('goes on with health checks after shutdown', async () => {
    const check = vi.fn(async () => {});
    const before = vi.getTimerCount();
    const circuit = makeOpossum(act, {
      enableSnapshots: false,
      rotateBucketController: new EventEmitter(),
    } as never);
    circuit.healthCheck(check, 100);
    circuit.shutdown();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(check.mock.calls.length).toBeGreaterThan(5);
    expect(vi.getTimerCount()).toBe(before + 1);
    vi.clearAllTimers();
  });

  it('keeps and changes the options object it is given', () => {
    const options: Opossum.Options = {};
    made.push(new Opossum(act as never, options));
    expect(options).toMatchObject({ timeout: 10_000, resetTimeout: 30_000 });
  });

  it('turns a throwing success listener into a failure', async () => {
    const circuit = makeOpossum(act);
    circuit.on('success', () => {
      throw new Error('listener');
    });
    await expect(circuit.fire('succeed')).rejects.toThrow('listener');
    expect(circuit.stats.failures).toBe(1);
  });

  it('throws from its timer when a timeout listener throws', async () => {
    const circuit = makeOpossum(hang, { timeout: 100 });
    circuit.on('timeout', () => {
      throw new Error('listener');
    });
    void settle(circuit.fire());
    expect(() => vi.advanceTimersByTime(100)).toThrow('listener');
  });

  it('fails on an action that returns undefined', async () => {
    const circuit = makeOpossum((() => undefined) as never);
    await expect(circuit.fire()).rejects.toThrow(TypeError);
  });

  it('keeps the failures of before when closed', async () => {
    const circuit = makeOpossum(act);
    await settle(circuit.fire('fail'));
    circuit.close();
    expect(circuit.stats.failures).toBe(1);
  });

  it('stores a latency for every call even with percentiles off', async () => {
    const circuit = makeOpossum(act, { rollingPercentilesEnabled: false });
    for (let index = 0; index < 5; index += 1) await circuit.fire('succeed');
    const [bucket] = circuit.status.window as unknown as { latencyTimes: number[] }[];
    expect(bucket?.latencyTimes).toHaveLength(5);
  });

  it('starts two interval timers a breaker by default', () => {
    const before = vi.getTimerCount();
    makeOpossum(act);
    expect(vi.getTimerCount()).toBe(before + 2);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/config-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import type { CacheFactoryContext } from './filling/factory-context.ts';
import { RedisCache } from './redis-cache.ts';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled).toEqual([]));

/** A cache in memory whose factories take a second, and values that live ten. `chance` 1/e is a lead of one cost. */
function story(options: RedisCacheOptions = {}, chance = Math.exp(-1)) {
  const clock = new ManualClock();
  const cache = new RedisCache({
    ...{ clock, ttlJitterRatio: 0, defaultTTL: 10, refreshAheadRatio: 1, random: () => chance },
    ...options,
  });
  let calls = 0;
  const contexts: CacheFactoryContext[] = [];
  let fails = false;
  const factory = async (context: CacheFactoryContext) => {
    calls += 1;
    contexts.push(context);
    const made = calls;
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1_000));
    if (fails) throw new Error('down');
    return made;
  };
  const read = (key = 'key') => cache.getOrSetWithSource(key, factory);
  const fill = async (key = 'key') => {
    const made = read(key);
    await clock.advance(1_000);
    await made;
  };
  const fail = (how: boolean) => {
    fails = how;
  };
  return { clock, cache, read, fill, fail, contexts, factory, calls: () => calls };
}

describe('refresh ahead of expiry', () => {
  it('is off by default', async () => {
    const { clock, read, fill, calls } = story({ refreshAheadRatio: undefined });
    await fill();
    for (let index = 0; index < 5; index += 1) await read();
    await clock.advance(9_999);
    await read();
    await read();
    expect(calls()).toBe(1);
  });

  it('begins in the background once `now - cost * ln(random)` reaches the expiry, at the second read at the earliest', async () => {
    const { clock, cache, read, fill, calls, contexts } = story();
    await fill();
    await clock.advance(8_998);
    await read();
    await read();
    expect(calls()).toBe(1);
    await clock.advance(2);
    expect(await read()).toEqual({ value: 1, source: 'memory' });
    expect(calls()).toBe(2);
    expect(contexts[1]).toMatchObject({ isAhead: true, stale: { value: 1, ageMs: 9_000 } });
    // Only once.
    expect(await read()).toEqual({ value: 1, source: 'memory' });
    await clock.advance(999);
    expect(await read()).toEqual({ value: 1, source: 'memory' });
    await clock.advance(1);
    expect(await read()).toEqual({ value: 2, source: 'memory' });
    expect(cache.getStats()).toMatchObject({ aheadRefreshes: 1, factoryCalls: 2, misses: 1 });
  });

  it('does not refresh a key that was read once', async () => {
    const { clock, read, fill, calls } = story();
    await fill();
    await clock.advance(9_999);
    await read();
    expect(calls()).toBe(1);
  });

  it('begins at no read before the last `refreshAheadRatio` of its life', async () => {
    const { clock, read, fill, calls } = story({ refreshAheadRatio: 0.2 }, 1e-300);
    await fill();
    await clock.advance(7_999);
    await read();
    await read();
    expect(calls()).toBe(1);
    await clock.advance(1);
    await read();
    expect(calls()).toBe(2);
  });

  it('begins no more than `refreshAheadPerMinute` in any minute', async () => {
    const { clock, read, calls, cache, factory } = story({ refreshAheadPerMinute: 2, defaultTTL: 100 }, 1e-300);
    const keys = ['a', 'b', 'c'];
    const made = Promise.all(keys.map((key) => cache.getOrSet(key, factory)));
    await clock.advance(1_000);
    await made;
    for (const key of [...keys, ...keys]) await read(key);
    expect(calls()).toBe(5);
    await clock.advance(59_999);
    for (const key of ['c', 'c']) await read(key);
    expect(calls()).toBe(5);
    await clock.advance(1);
    await read('c');
    expect(calls()).toBe(6);
  });

  it('lets callers join it after the expiry', async () => {
    const { clock, read, fill, calls } = story();
    await fill();
    await clock.advance(9_500);
    await read();
    await read();
    await clock.advance(600);
    const joined = read();
    await clock.advance(400);
    expect(await joined).toEqual({ value: 2, source: 'shared' });
    expect(calls()).toBe(2);
  });

  it('leaves the value as it is when it fails, and tries again after `refreshThrottleSeconds`', async () => {
    const { clock, read, fill, fail, calls } = story({ defaultTTL: 100, refreshThrottleSeconds: 10 }, 1e-300);
    await fill();
    fail(true);
    await read();
    await read();
    await clock.advance(1_000);
    expect(calls()).toBe(2);
    await clock.advance(9_000);
    expect(await read()).toEqual({ value: 1, source: 'memory' });
    expect(calls()).toBe(2);
    await clock.advance(1_000);
    expect(await read()).toEqual({ value: 1, source: 'memory' });
    expect(calls()).toBe(3);
    await clock.advance(1_000);
  });

  it('stores nothing that a removal or a newer value came before', async () => {
    for (const change of ['delete', 'set', 'invalidate'] as const) {
      const { clock, cache, factory } = story({ defaultTTL: 100 }, 1e-300);
      const read = () => cache.getOrSet('key', factory, { tags: ['tag'] });
      const made = read();
      await clock.advance(1_000);
      await made;
      await read();
      await read();
      if (change === 'delete') await cache.delete('key');
      else if (change === 'set') await cache.set('key', 'set', 60, ['tag']);
      else await cache.invalidateByTags(['tag']);
      await clock.advance(1_000);
      expect(await cache.get('key'), change).toBe(change === 'set' ? 'set' : undefined);
    }
  });

  it('is due for a peek of the client, which then takes the long way once', async () => {
    const { clock, cache, fill, read, calls } = story({ defaultTTL: 100 }, 1e-300);
    await fill();
    const peek = () => cache.peekMemory('key', [], () => true);
    expect(peek()).toBe(1);
    expect(peek()).toBeUndefined();
    expect(await read()).toEqual({ value: 1, source: 'memory' });
    expect(calls()).toBe(2);
    expect(peek()).toBe(1);
    await clock.advance(1_000);
    expect(peek()).toBe(2);
  });

  it('never refreshes what `set` stored, nor a remembered failure', async () => {
    const { clock, cache, read, calls } = story({ defaultTTL: 10 }, 1e-300);
    await cache.set('key', 'set');
    await clock.advance(9_999);
    await read();
    await read();
    expect(calls()).toBe(0);
  });

  it('ends with the cache: its factory is aborted, and nothing is left', async () => {
    const { clock, cache, read, fill, contexts } = story();
    await fill();
    await clock.advance(9_500);
    await read();
    await read();
    expect(contexts[1]?.signal.aborted).toBe(false);
    await cache.close();
    expect(contexts[1]?.signal.aborted).toBe(true);
    await clock.advance(1_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('outlives the caller whose read began it', async () => {
    const { clock, cache, factory, calls } = story({ defaultTTL: 100 }, 1e-300);
    const made = cache.getOrSet('key', factory);
    await clock.advance(1_000);
    await made;
    const controller = new AbortController();
    await cache.getOrSet('key', factory);
    await cache.getOrSet('key', factory, { signal: controller.signal });
    controller.abort(new Error('gone'));
    await clock.advance(1_000);
    expect([await cache.get('key'), calls()]).toEqual([2, 2]);
  });

  it('has options that are checked', () => {
    const wrong = () => new RedisCache({ refreshAheadRatio: 2, refreshAheadPerMinute: 0, random: 4 as never });
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(/refreshAheadRatio.*refreshAheadPerMinute.*random/s);
  });

  it('runs one factory a key, whatever the order of reads', async () => {
    const { clock, cache } = story({ defaultTTL: 2 }, 1e-300);
    let running = 0;
    let most = 0;
    const gate = () => new Deferred<void>();
    const factory = async () => {
      running += 1;
      most = Math.max(most, running);
      const wait = gate();
      clock.setTimeout(() => wait.resolve(), 700);
      await wait.promise;
      running -= 1;
      return 1;
    };
    const reads: Promise<unknown>[] = [];
    for (let step = 0; step < 200; step += 1) {
      reads.push(cache.getOrSet('key', factory), cache.getOrSet('key', factory));
      await clock.advance((step * 37) % 301);
    }
    await clock.advance(2_000);
    await Promise.all(reads);
    expect(most).toBe(1);
  });
});

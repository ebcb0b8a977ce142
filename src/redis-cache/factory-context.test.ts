import { describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import type { CacheFactoryContext } from './filling/factory-context.ts';
import { RedisCache } from './redis-cache.ts';

function memoryOnly(options: RedisCacheOptions = {}) {
  const clock = new ManualClock();
  return { clock, cache: new RedisCache({ ttlJitterRatio: 0, ...options, clock }) };
}

describe('the context of a factory', () => {
  it('sets the time to live of its value', async () => {
    const { cache, clock } = memoryOnly();
    const make = async ({ setTtl }: CacheFactoryContext) => {
      setTtl(5);
      return 1;
    };
    await cache.getOrSet('key', make, { ttlSeconds: 60 });
    await clock.advance(4_999);
    expect(await cache.get('key')).toBe(1);
    await clock.advance(1);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('may make it live longer than the options say', async () => {
    const { cache, clock } = memoryOnly();
    const make = ({ setTtl }: CacheFactoryContext) => setTtl(100) ?? 1;
    await cache.getOrSet('key', make, { ttlSeconds: 1 });
    await clock.advance(99_999);
    expect(await cache.get('key')).toBe(1);
  });

  it.each([undefined, 0, -1, Number.NaN, '5', 1e12])('refuses a time to live of %s, typed', async (seconds) => {
    const { cache } = memoryOnly();
    const making = cache.getOrSet('key', ({ setTtl }) => setTtl(seconds as number));
    await expect(making).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field: 'setTtl' });
  });

  it('adds tags to those of the options, and each of them invalidates the value', async () => {
    for (const tag of ['given', 'found', 'late']) {
      const { cache } = memoryOnly();
      const factory = async ({ setTags }: CacheFactoryContext) => {
        setTags(['replaced']);
        await Promise.resolve();
        setTags(['found', 'late', 'given']);
        return 1;
      };
      await cache.getOrSet('key', factory, { tags: ['given'] });
      await cache.invalidateByTags(['replaced']);
      expect(await cache.get('key')).toBe(1);
      // A stored entry has every tag that the caller names, so it is a hit.
      expect(await cache.getOrSetWithSource('key', () => 2, { tags: ['given'] })).toMatchObject({ source: 'memory' });
      await cache.invalidateByTags([tag]);
      expect(await cache.get('key'), tag).toBeUndefined();
    }
  });

  it('refuses what is no tag, and more than fit, typed', async () => {
    const { cache } = memoryOnly();
    const many = Array.from({ length: 128 }, (_, index) => `tag${index}`);
    for (const tags of [[''], [1], 'text', many]) {
      const making = cache.getOrSet('key', ({ setTags }) => setTags(tags as string[]), { tags: ['one'] });
      await expect(making, String(tags)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field: 'tags' });
    }
  });

  it('stores nothing that is older than an invalidation of a tag that its factory added', async () => {
    for (const [setsFirst, stored] of [
      [true, false],
      [false, false],
    ] as const) {
      const { cache } = memoryOnly();
      const gate = new Deferred<void>();
      const making = cache.getOrSet('key', async ({ setTags }) => {
        if (setsFirst) setTags(['tag']);
        await gate.promise;
        if (!setsFirst) setTags(['tag']);
        return 'old';
      });
      await cache.invalidateByTags(['tag']);
      gate.resolve();
      expect(await making).toBe('old');
      expect(await cache.has('key')).toBe(stored);
    }
  });

  it('stores it after an invalidation of another tag', async () => {
    const { cache } = memoryOnly();
    const gate = new Deferred<void>();
    const making = cache.getOrSet('key', async ({ setTags }) => {
      await gate.promise;
      setTags(['tag']);
      return 'value';
    });
    await cache.invalidateByTags(['another']);
    gate.resolve();
    await making;
    expect(await cache.get('key')).toBe('value');
  });

  it('has the stale value with its age, where there is one', async () => {
    const { cache, clock } = memoryOnly({ graceSeconds: 60 });
    const seen: unknown[] = [];
    const factory = ({ stale, isAhead }: CacheFactoryContext) => {
      seen.push(stale, isAhead);
      return { etag: 'a' };
    };
    await cache.getOrSet('key', factory, { ttlSeconds: 10 });
    await clock.advance(12_000);
    await cache.getOrSet('key', factory, { ttlSeconds: 10 });
    await cache.getOrSet('key', factory, { forceRefresh: true });
    expect(seen).toEqual([undefined, false, { value: { etag: 'a' }, ageMs: 12_000 }, false, undefined, false]);
  });

  it('has no effect once the factory has ended', async () => {
    const { cache, clock } = memoryOnly();
    const kept: CacheFactoryContext[] = [];
    await cache.getOrSet('key', (context) => kept.push(context), { ttlSeconds: 10 });
    kept[0]?.setTtl(1);
    kept[0]?.setTags(['tag']);
    await cache.invalidateByTags(['tag']);
    await clock.advance(9_000);
    expect(await cache.get('key')).toBe(1);
  });
});

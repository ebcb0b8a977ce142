import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';

function memoryOnly(options: RedisCacheOptions = {}) {
  const clock = new ManualClock();
  return { clock, cache: new RedisCache({ ttlJitterRatio: 0, ...options, clock }) };
}

describe('a namespace of a cache', () => {
  it('has keys of its own in every operation', async () => {
    const { cache } = memoryOnly();
    const [a, b] = [cache.namespace('a'), cache.namespace('b')];
    const all = [cache, a, b];
    for (const [index, one] of all.entries()) await one.set('key', index);
    expect(await Promise.all(all.map((one) => one.get('key')))).toEqual([0, 1, 2]);
    expect(await cache.namespace('a').get('key')).toBe(1);
    await a.mset([{ key: 'x', data: 'ax' }]);
    expect(await a.mget(['x', 'key', 'none'])).toEqual(['ax', 1, undefined]);
    expect(await b.mget(['x', 'key'])).toEqual([undefined, 2]);
    expect(await b.getOrSet('x', () => 'bx')).toBe('bx');
    expect([await a.has('x'), await cache.has('x')]).toEqual([true, false]);
    expect(a.peekMemory('x', [], () => true)).toBe('ax');
    expect(await a.delete('key')).toBe(true);
    expect(await a.deleteMany(['x', 'none'])).toBe(1);
    expect(await Promise.all(all.map((one) => one.get('key')))).toEqual([0, undefined, 2]);
    expect(await a.getWithSource('key')).toBeUndefined();
  });

  it('has tags of its own', async () => {
    const { cache } = memoryOnly();
    const [a, b] = [cache.namespace('a'), cache.namespace('b')];
    const fill = async () => {
      for (const one of [cache, a, b]) await one.set('key', 1, { tags: ['tag'] });
      await a.getOrSet('made', ({ setTags }) => setTags(['late']) ?? 1, { tags: ['tag'] });
    };
    await fill();
    await a.invalidateByTags(['tag']);
    expect([await cache.get('key'), await a.get('key'), await b.get('key')]).toEqual([1, undefined, 1]);
    await fill();
    await cache.invalidateByTags(['tag']);
    expect([await cache.get('key'), await a.get('key'), await b.get('key')]).toEqual([undefined, 1, 1]);
    await cache.invalidateByTags(['late']);
    expect(await a.get('made')).toBe(1);
    expect(a.peekMemory('made', ['tag', 'late'], () => true)).toBe(1);
    await a.invalidateByTags(['late']);
    expect(await a.get('made')).toBeUndefined();
    await b.purgeTags(['tag']);
    expect([await a.get('key'), await b.get('key')]).toEqual([1, undefined]);
  });

  it('is cleared alone, with what is nested in it; the cache clears all', async () => {
    const { cache } = memoryOnly();
    const [a, b] = [cache.namespace('a'), cache.namespace('b')];
    const nested = a.namespace('b');
    const all = [cache, a, b, nested];
    const held = async () => (await Promise.all(all.map((one) => one.get('key')))).map((value) => value === 1);
    const fill = () => Promise.all(all.map((one) => one.set('key', 1)));
    await fill();
    await b.clear();
    expect(await held()).toEqual([true, true, false, true]);
    await nested.clear();
    expect(await held()).toEqual([true, true, false, false]);
    await fill();
    await a.clear();
    expect(await held()).toEqual([true, false, true, false]);
    await fill();
    await cache.clear();
    expect(await held()).toEqual([false, false, false, false]);
  });

  it('keeps work that a clear came before from being stored', async () => {
    const { cache, clock } = memoryOnly();
    const [a, b] = [cache.namespace('a'), cache.namespace('b')];
    const slow = () => new Promise<number>((resolve) => void clock.setTimeout(() => resolve(1), 10));
    const making = [a.getOrSet('key', slow), b.getOrSet('key', slow)];
    await clock.flush();
    await a.clear();
    await clock.advance(10);
    expect(await Promise.all(making)).toEqual([1, 1]);
    expect([await a.has('key'), await b.has('key')]).toEqual([false, true]);
  });

  it('counts for itself, and the cache counts all', async () => {
    const { cache } = memoryOnly();
    const [a, b] = [cache.namespace('a'), cache.namespace('b')];
    await a.getOrSet('key', () => 1);
    await a.getOrSet('key', () => 1);
    await a.get('key');
    await a.mget(['key', 'none']);
    await b.set('key', 1, { tags: ['tag'] });
    await b.get('none');
    await b.invalidateByTags(['tag']);
    await cache.get('none');
    expect(a.getStats()).toMatchObject({ memoryHits: 3, misses: 2, factoryCalls: 1, writes: 1, hitRatio: 0.6 });
    expect(b.getStats()).toMatchObject({ memoryHits: 0, misses: 1, writes: 1, invalidatedTags: 1 });
    expect(cache.getStats()).toMatchObject({ memoryHits: 3, misses: 4, writes: 2, memory: { entries: 2 } });
    expect(cache.namespace('a').getStats()).toEqual(a.getStats());
  });

  it('hears of its own names, and of what clears it', async () => {
    const { cache } = memoryOnly();
    const [a, b] = [cache.namespace('a'), cache.namespace('b')];
    const heard: unknown[] = [];
    a.on('invalidated', ({ keys, tags }) => heard.push([keys, tags]));
    await b.delete('key');
    await cache.delete('key');
    await a.delete('key');
    await a.invalidateByTags(['tag']);
    await a.namespace('in').delete('key');
    await b.clear();
    expect(heard).toEqual([
      [['key'], []],
      [[], ['tag']],
    ]);
    await a.clear();
    await cache.clear();
    expect(heard.slice(2)).toEqual([
      [[], []],
      [[], []],
    ]);
    const failed: string[] = [];
    a.on('storeFailed', ({ key }) => failed.push(key));
    await a.getOrSet('mine', () => () => 1);
    await b.getOrSet('its', () => () => 1);
    expect(failed).toEqual(['mine']);
  });

  it('closes nothing, and ends with its cache', async () => {
    const { cache } = memoryOnly();
    const a = cache.namespace('a');
    await a.close();
    await a.set('key', 1);
    expect(await a.get('key')).toBe(1);
    await cache.close();
    for (const work of [a.get('key'), a.set('key', 1), a.getOrSet('key', () => 1), a.clear(), a.mget([])]) {
      await expect(work).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    }
  });

  it.each(['', 'a\0b', '\n', '\ud800', 'x'.repeat(129), 7, undefined, null])('refuses the name %j, typed', (name) => {
    const { cache } = memoryOnly();
    expect(() => cache.namespace(name as string)).toThrow(
      expect.objectContaining({ code: 'DESCRIBE_INPUT_INVALID', field: 'namespace' }),
    );
  });

  it('can not be reached by a key or tag of the cache', async () => {
    const { cache } = memoryOnly();
    await cache.namespace('a').set('key', 'secret', { tags: ['tag'] });
    const wrong = { code: 'DESCRIBE_INPUT_INVALID' };
    for (const key of ['\0a\0key', '\0']) {
      await expect(cache.get(key)).rejects.toMatchObject(wrong);
      await expect(cache.mget([key])).rejects.toMatchObject(wrong);
      await expect(cache.set(key, 1)).rejects.toMatchObject(wrong);
      await expect(cache.getOrSet(key, () => 1)).rejects.toMatchObject(wrong);
      await expect(cache.delete(key)).rejects.toMatchObject(wrong);
      await expect(cache.namespace('b').get(key)).rejects.toMatchObject(wrong);
      await expect(cache.invalidateByTags([key])).rejects.toMatchObject(wrong);
      await expect(cache.set('key', 1, { tags: [key] })).rejects.toMatchObject(wrong);
    }
  });

  it('never meets another one, whatever the names and keys', async () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', ':', '/', '{', '%', 'é'), minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(part, { maxLength: 3 }), part), { maxLength: 12 }),
        async (places) => {
          const { cache } = memoryOnly();
          const at = (path: readonly string[]) => path.reduce((around, name) => around.namespace(name), cache);
          const distinct = new Map(places.map(([path, key]) => [JSON.stringify([path, key]), [path, key] as const]));
          for (const [id, [path, key]] of distinct) await at(path).set(key, id);
          for (const [id, [path, key]] of distinct) expect(await at(path).get(key)).toBe(id);
        },
      ),
      { seed: 20_261_128, numRuns: 200 },
    );
  });

  it('keeps the counts of the last thousand names only', async () => {
    const { cache } = memoryOnly();
    for (let index = 0; index < 3_000; index += 1) await cache.namespace(`n${index}`).get('key');
    expect(cache.namespace('n0').getStats().misses).toBe(0);
    expect(cache.namespace('n2999').getStats().misses).toBe(1);
    expect(cache.getStats().misses).toBe(3_000);
  });
});

import { describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { findRedisServer } from '../testing/redis-server.ts';
import { RedisCache } from './redis-cache.ts';
import { startRedisForCaches } from './redis-caches.fixture.ts';

const turns = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('callers of one key with different tags, in memory', () => {
  /** Work under the tag `a` that runs until it is resolved. */
  const running = (cache = new RedisCache()) => {
    const first = new Deferred<string>();
    const owner = cache.getOrSet('key', () => first.promise, { tags: ['a'] });
    return { cache, first, owner };
  };

  it('share no work that does not carry the tag of each, and both tags stand on what is made last', async () => {
    for (const tag of ['a', 'b']) {
      const { cache, first, owner } = running();
      const follower = cache.getOrSet('key', () => 'second', { tags: ['b'] });
      await turns();
      first.resolve('first');
      expect(await owner).toBe('first');
      expect(await follower).toBe('second');
      expect(await cache.getOrSet('key', () => 'third', { tags: ['a', 'b'] })).toBe('second');
      await cache.invalidateByTags([tag]);
      expect(await cache.get('key')).toBeUndefined();
    }
  });

  it('share the next work when they waited for the same one', async () => {
    const { cache, first } = running();
    let calls = 0;
    const ask = (tags: readonly string[]) => cache.getOrSetWithSource('key', async () => `call ${++calls}`, { tags });
    const followers = [ask(['b']), ask(['c']), ask(['b', 'd'])];
    await turns();
    first.resolve('first');
    expect(await Promise.all(followers)).toEqual([
      { value: 'call 1', source: 'factory' },
      { value: 'call 1', source: 'shared' },
      { value: 'call 1', source: 'shared' },
    ]);
    expect(await ask(['a', 'b', 'c', 'd'])).toEqual({ value: 'call 1', source: 'memory' });
  });

  it('share as few works as their tags fit on, however many they are', async () => {
    const { cache, first } = running();
    let calls = 0;
    const work = async () => ++calls;
    const controller = new AbortController();
    const { signal } = controller;
    const leavers = Array.from({ length: 200 }, (_, n) =>
      cache.getOrSet('key', work, { tags: [`left ${n}`], signal }).catch((reason: unknown) => reason),
    );
    const followers = Array.from({ length: 1_000 }, (_, n) =>
      cache.getOrSet('key', work, { tags: [`tag ${n}`, 'common'] }),
    );
    await turns();
    controller.abort('left');
    first.resolve('first');
    await Promise.all(followers);
    expect(await Promise.all(leavers)).toEqual(leavers.map(() => 'left'));
    expect(calls).toBe(Math.ceil(1_000 / 127));
  });

  it('get nothing older than an invalidation of their own tag that was over before they asked', async () => {
    const { cache, first } = running();
    await cache.invalidateByTags(['b']);
    const follower = cache.getOrSet('key', () => 'new', { tags: ['b'] });
    first.resolve('old');
    expect(await follower).toBe('new');
  });

  it('need not wait for work that was invalidated, failed, or that they left', async () => {
    const invalidated = running();
    const follower = invalidated.cache.getOrSet('key', () => 'new', { tags: ['b'] });
    await turns();
    await invalidated.cache.invalidateByTags(['a']);
    expect(await follower).toBe('new');

    const failed = running();
    const second = failed.cache.getOrSet('key', () => 'new', { tags: ['b'] });
    failed.first.reject(new Error('failed'));
    await expect(failed.owner).rejects.toThrow('failed');
    expect(await second).toBe('new');

    const left = running();
    const controller = new AbortController();
    const { signal } = controller;
    const third = left.cache.getOrSet('key', () => 'never', { tags: ['b'], signal });
    await turns();
    controller.abort('left');
    await expect(third).rejects.toBe('left');
    left.first.resolve('first');
    expect(await left.owner).toBe('first');
  });

  it('keep the tags of what they replace, save where there would be too many', async () => {
    const cache = new RedisCache();
    await cache.set('key', 'first', 60, ['a']);
    expect(await cache.getOrSet('key', () => 'second', { tags: ['b'] })).toBe('second');
    expect(await cache.getOrSet('key', () => 'third', { tags: ['a'] })).toBe('second');
    const many = Array.from({ length: 127 }, (_, n) => `tag ${n}`);
    expect(await cache.getOrSet('key', () => 'third', { tags: many })).toBe('third');
    expect(await cache.getOrSet('key', () => 'fourth', { tags: ['a'] })).toBe('fourth');
    await cache.invalidateByTags(['tag 3']);
    expect(await cache.get('key')).toBeUndefined();
  });
});

describe.runIf(findRedisServer())('callers of one key with different tags, on two processes', () => {
  const redis = startRedisForCaches();
  const connect = (keyPrefix: string) => redis.connect({ keyPrefix, tagTrustMs: 0 });

  it('keep the tags of what they replace, in the versions that it carries', async () => {
    const [one, two] = [connect('kept:'), connect('kept:')];
    await one.getOrSet('key', () => 'first', { tags: ['a'] });
    expect(await two.getOrSet('key', () => 'second', { tags: ['b'] })).toBe('second');
    expect(await one.getOrSet('key', () => 'third', { tags: ['a', 'b'] })).toBe('second');
    await one.invalidateByTags(['a']);
    expect(await two.get('key')).toBeUndefined();
  });

  it('let Redis keep the versions of those tags as long as what they make', async () => {
    const [one, two] = [connect('long:'), connect('long:')];
    await one.getOrSet('key', () => 'first', { tags: ['a'], ttlSeconds: 1 });
    await one.getOrSet('key', () => 'second', { tags: ['b'], ttlSeconds: 1_000 });
    await expect.poll(() => redis.raw.pttl('long:t:a')).toBeGreaterThan(1_000_000);
    expect(await two.get('key')).toBe('second');
  });

  it('store nothing valid when a tag that they keep is invalidated elsewhere while they work', async () => {
    const [one, two] = [connect('lost:'), connect('lost:')];
    await one.getOrSet('key', () => 'first', { tags: ['a'] });
    const work = new Deferred<string>();
    const second = two.getOrSet('key', () => work.promise, { tags: ['b'] });
    await expect.poll(() => two.getStats().factoryCalls).toBe(1);
    await one.invalidateByTags(['a']);
    work.resolve('second');
    expect(await second).toBe('second');
    expect(await one.get('key')).toBeUndefined();
    expect(await two.get('key')).toBeUndefined();
  });
});

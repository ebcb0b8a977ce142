import { describe, expect, it } from 'vitest';
import { createCacheWarmer, type WarmProgress } from './cache-warmer.ts';
import { RedisCache } from './redis-cache.ts';

const urlOf = (n: number) => `https://example.com/${n}.jpg`;
const urls = (count: number) => Array.from({ length: count }, (_, n) => urlOf(n));

describe('createCacheWarmer', () => {
  it('describes what is missing, skips what is there, lists what fails', async () => {
    const cache = new RedisCache();
    const warmer = createCacheWarmer(cache);
    await warmer.warmImageDescriptions([urlOf(0)], () => 'described');
    const progress: WarmProgress[] = [];
    const fetcher = async (url: string) => {
      if (url === urlOf(2)) throw new Error('broken');
      return `describes ${url}`;
    };
    const result = await warmer.warmImageDescriptions([...urls(4), 'not a url'], fetcher, {
      onProgress: (event) => {
        progress.push(event);
        throw new Error('in the listener');
      },
    });
    expect(result).toMatchObject({ warmed: 2, skipped: 1 });
    expect(result.failed.map(({ url }) => url).sort()).toEqual([urlOf(2), 'not a url'].sort());
    expect(progress.map(({ done, total }) => [done, total])).toEqual([1, 2, 3, 4, 5].map((n) => [n, 5]));
    const key = cache.generateKey('image-description', cache.generateImageHash(urlOf(1)));
    expect(await cache.get(key)).toBe(`describes ${urlOf(1)}`);
  });

  it('keeps to its concurrency, over an iterable of any length', async () => {
    let running = 0;
    let most = 0;
    async function* many() {
      yield* urls(50);
    }
    const { warmed } = await createCacheWarmer(new RedisCache()).warmImageDescriptions(
      many(),
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return 'described';
      },
      { concurrency: 7 },
    );
    expect([warmed, most]).toEqual([50, 7]);
  });

  it('refuses an option that has no effect, and not every image', async () => {
    const warming = createCacheWarmer(new RedisCache()).warmImageDescriptions(urls(2), () => 'described', {
      ttl: 5,
    } as never);
    await expect(warming).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field: 'ttl' });
  });

  it('stops when aborted, and aborts what runs', async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const warming = createCacheWarmer(new RedisCache()).warmImageDescriptions(
      urls(10),
      (_, { signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
      { concurrency: 2, signal: controller.signal },
    );
    await expect.poll(() => signals).toHaveLength(2);
    controller.abort('enough');
    await expect(warming).rejects.toBe('enough');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it.each(['of the next URL', 'of a fetcher'])(
    'stops when aborted in a wait %s, and lets the iterable go',
    async (wait) => {
      const controller = new AbortController();
      const never = () => new Promise<never>(() => {});
      let isLetGo = false;
      async function* source() {
        try {
          yield wait === 'of a fetcher' ? urlOf(1) : await never();
          yield urlOf(2);
        } finally {
          isLetGo = true;
        }
      }
      const warming = createCacheWarmer(new RedisCache()).warmImageDescriptions(source(), never, {
        signal: controller.signal,
        concurrency: 2,
      });
      await new Promise(setImmediate);
      controller.abort('enough');
      await expect(warming).rejects.toBe('enough');
      await new Promise(setImmediate);
      // A source that never answers can't be closed.
      expect(isLetGo).toBe(wait === 'of a fetcher');
    },
  );

  it('uses the given key, time to live and tags', async () => {
    const cache = new RedisCache();
    await createCacheWarmer(cache).warmImageDescriptions([urlOf(1)], () => 1, {
      keyOf: (url) => `k${url}`,
      tags: ['tag'],
    });
    expect(await cache.has(`k${urlOf(1)}`)).toBe(true);
    await cache.invalidateByTags(['tag']);
    expect(await cache.has(`k${urlOf(1)}`)).toBe(false);
  });

  it('refuses a concurrency below one', async () => {
    const warmer = createCacheWarmer(new RedisCache());
    await expect(warmer.warmImageDescriptions([], () => 1, { concurrency: 0 })).rejects.toThrow('concurrency');
  });
});

import { mapConcurrently } from '../internal/async/map-concurrently.ts';
import { callSafely, ignoreRejection } from '../internal/async/user-callback.ts';
import { wrongInput } from '../internal/options/option-checks.ts';
import { callOptions } from '../internal/options/own-options.ts';
import { checkOptionNames } from './entries/cache-input.ts';
import type { CacheFactory } from './filling/factory-context.ts';
import type { RedisCache } from './redis-cache.ts';
import { SET_OPTION_NAMES, type SetOptions } from './tiers/setter.ts';

/** Makes the description of one image. */
export type WarmFetcher<Value> = (url: string, context: { readonly signal: AbortSignal }) => Value | PromiseLike<Value>;

export interface WarmProgress {
  readonly done: number;
  /** Number of images; known where the URLs are an array. */
  readonly total: number | undefined;
  readonly url: string;
  readonly outcome: 'warmed' | 'skipped' | 'failed';
}

export interface WarmOptions extends SetOptions {
  /** Images at a time, at least 1. @defaultValue 4 */
  readonly concurrency?: number | undefined;
  /** Called after each image; its errors are swallowed. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined;
  /** Starts no more images, aborts those that run, and rejects the promise with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Key of an image. @defaultValue `cache.generateKey('image-description', cache.generateImageHash(url))` */
  readonly keyOf?: ((url: string) => string) | undefined;
}

const OPTION_NAMES: Record<keyof WarmOptions, true> = {
  ...SET_OPTION_NAMES,
  concurrency: true,
  onProgress: true,
  signal: true,
  keyOf: true,
};

export interface WarmFailure {
  readonly url: string;
  readonly error: unknown;
}

export interface WarmResult {
  /** Images that were described and stored. */
  readonly warmed: number;
  /** Images that were stored already. */
  readonly skipped: number;
  /** Images that could not be described, in the order of their failure. */
  readonly failed: readonly WarmFailure[];
}

export interface CacheWarmer {
  /**
   * Fills the cache with the missing images, each once even if its URL is listed twice.
   * @throws the signal's reason when it aborts. A failed image does not reject: it is listed.
   */
  warmImageDescriptions<Value>(
    urls: Iterable<string> | AsyncIterable<string>,
    fetcher: WarmFetcher<Value>,
    options?: WarmOptions,
  ): Promise<WarmResult>;
}

/**
 * Makes a warmer for a cache.
 *
 * @example
 * ```ts
 * import { createCacheWarmer, getCache } from '@describe-it/sdk/redis-cache';
 *
 * const warmer = createCacheWarmer(getCache());
 * const { warmed, skipped, failed } = await warmer.warmImageDescriptions(
 *   ['https://example.com/cat.jpg'],
 *   async (url) => ({ description: `what is on ${url}` }),
 *   { concurrency: 8 },
 * );
 * console.log(warmed, skipped, failed.length);
 * ```
 */
export function createCacheWarmer(cache: RedisCache): CacheWarmer {
  return {
    async warmImageDescriptions(urls, fetcher, given = {}) {
      const options = callOptions(given);
      checkOptionNames(options, OPTION_NAMES);
      const { concurrency = 4, onProgress, signal, keyOf, ...stored } = options;
      if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
        throw wrongInput('concurrency', 'a whole number of at least 1', concurrency);
      }
      const key = keyOf ?? ((url: string) => cache.generateKey('image-description', cache.generateImageHash(url)));
      const total = Array.isArray(urls) ? urls.length : undefined;
      const failed: WarmFailure[] = [];
      const counts = { warmed: 0, skipped: 0 };
      const warmOne = async (url: string, runSignal: AbortSignal): Promise<'warmed' | 'skipped'> => {
        const factory: CacheFactory<unknown> = (context) => fetcher(url, context);
        const name = key(url);
        ignoreRejection(name);
        const { source } = await cache.getOrSetWithSource(name, factory, { ...stored, signal: runSignal });
        return source === 'factory' ? 'warmed' : 'skipped';
      };
      let done = 0;
      signal?.throwIfAborted();
      for await (const item of mapConcurrently(urls, warmOne, { concurrency, signal })) {
        const { input: url } = item;
        const outcome = item.status === 'fulfilled' ? item.value : 'failed';
        if (item.status === 'fulfilled') counts[item.value] += 1;
        else failed.push({ url, error: item.reason });
        done += 1;
        if (onProgress !== undefined) callSafely(onProgress, { done, total, url, outcome });
      }
      return { ...counts, failed };
    },
  };
}

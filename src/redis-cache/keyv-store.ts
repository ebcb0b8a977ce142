import type { RedisCache } from './redis-cache.ts';

/** One entry of Keyv's `setMany`. */
export interface KeyvStoreEntry {
  readonly key: string;
  readonly value: unknown;
  /** Milliseconds. */
  readonly ttl?: number | undefined;
}

/** The shape of a Keyv 5 store. */
export interface KeyvStore {
  readonly opts: Readonly<Record<string, unknown>>;
  namespace?: string | undefined;
  get<Value>(key: string): Promise<Value | undefined>;
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>;
  set(key: string, value: unknown, ttlMs?: number): Promise<boolean>;
  setMany(entries: KeyvStoreEntry[]): Promise<boolean[]>;
  delete(key: string): Promise<boolean>;
  deleteMany(keys: string[]): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  clear(): Promise<void>;
  disconnect(): Promise<void>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** Keyv keeps values without a time to live for ever, but a cache must not. */
const NO_TTL_SECONDS = 30 * 24 * 3_600;
const MAX_TAG_LENGTH = 8_192;

/**
 * A store for Keyv over a cache: both tiers, tags, and no error when Redis is away. A namespace is a tag, so clearing
 * one costs the same for any number of keys. A value without a time to live lives 30 days.
 *
 * @example
 * ```ts
 * import { createKeyvStore, RedisCache } from '@describe-it/sdk/redis-cache';
 *
 * const store = createKeyvStore(new RedisCache({ host: 'localhost' }));
 * // new Keyv({ store, namespace: 'pages' })
 * await store.set('key', 'value', 60_000);
 * ```
 */
export function createKeyvStore(cache: RedisCache): KeyvStore {
  const tagOf = (namespace: string | undefined) => `keyv:${namespace ?? ''}`.slice(0, MAX_TAG_LENGTH);
  const store: KeyvStore = {
    opts: {},
    namespace: undefined,
    get: (key) => cache.get(key),
    getMany: (keys) => cache.mget(keys),
    set: async (key, value, ttlMs) => (await store.setMany([{ key, value, ttl: ttlMs }]))[0] ?? false,
    async setMany(entries) {
      const tags = [tagOf(store.namespace)];
      const stored = entries.filter(({ value }) => value !== undefined);
      const secondsOf = (ttl: number | undefined) => (ttl === undefined || ttl === 0 ? NO_TTL_SECONDS : ttl / 1_000);
      await cache.mset(stored.map(({ key, value, ttl }) => ({ key, data: value, ttl: secondsOf(ttl), tags })));
      return entries.map(({ value }) => value !== undefined);
    },
    delete: (key) => cache.delete(key),
    deleteMany: async (keys) => (await cache.deleteMany(keys)) > 0,
    has: (key) => cache.has(key),
    hasMany: (keys) => Promise.all(keys.map((key) => cache.has(key))),
    clear: () => cache.invalidateByTags([tagOf(store.namespace)]),
    disconnect: () => cache.close(),
    // Keyv would throw for an `error` without a listener; the cache has its own events and health.
    on: () => store,
  };
  return store;
}

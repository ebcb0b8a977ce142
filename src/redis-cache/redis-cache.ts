import { ClosedError } from '../errors/closed-error.ts';
import { forgetAbandoned, onAbandoned } from '../internal/async/abandoned.ts';
import { raceSignal } from '../internal/async/signals.ts';
import type { Listener, Unsubscribe } from '../internal/emitter.ts';
import { type RedisCacheOptions, resolveCacheOptions } from './cache-options.ts';
import { CacheParts, NamespaceOf } from './cache-parts.ts';
import { healthOf, type RedisCacheHealth, type RedisCacheStats, statsOf } from './cache-stats.ts';
import { KeySpace } from './entries/cache-input.ts';
import { generateKey } from './entries/cache-key.ts';
import { generateImageHash } from './entries/image-hash.ts';
import { accepts } from './filling/entry-match.ts';
import type { CacheFactory } from './filling/factory-context.ts';
import type { CacheHit, CacheSource, GetOrSetOptions } from './filling/get-or-set-options.ts';
import { shareLink } from './redis/redis-link.ts';
import type { RedisCacheEvents } from './tiers/cache-events.ts';
import { purgeTags } from './tiers/purge.ts';
import { type MsetEntry, msetItemsOf, type SetItem, type SetOptions, setAll, setOptionsOf } from './tiers/setter.ts';
import type { TierPair } from './tiers/tier-pair.ts';
import type { Found, ReadOptions } from './tiers/tiered-reader.ts';

/**
 * A cache in two tiers, memory over Redis. It never returns a value that is older than an invalidation which this
 * process has finished. A Redis that is down, slow or hung delays an operation by at most `operationTimeoutMs` and
 * fails none; `health()` shows it.
 *
 * Values are stored as `decode(encode(value))` and deeply frozen. So both tiers agree, no reader can change the value
 * of another, and a hit copies nothing. A miss is `undefined`, which can't be stored; `null` is a value like any other.
 *
 * @example
 * ```ts
 * import { RedisCache } from '@describe-it/sdk/redis-cache';
 *
 * const cache = new RedisCache({ host: 'localhost', defaultTTL: 600 });
 * await cache.set('greeting', { text: 'hello' }, 60, ['texts']);
 * const greeting = await cache.get<{ text: string }>('greeting');
 * const report = await cache.getOrSet('report', async () => ({ pages: 3 }), { tags: ['reports'] });
 * console.log(greeting?.text, report.pages);
 * await cache.invalidateByTags(['texts', 'reports']);
 * await cache.close();
 * ```
 */
export class RedisCache implements AsyncDisposable {
  readonly #parts: CacheParts;
  readonly #pair: TierPair;
  readonly #space: KeySpace;
  /** The cache of which this is a namespace; absent for the cache itself. */
  readonly #root: RedisCache | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens nothing: the first operation connects to Redis.
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   */
  constructor(options?: RedisCacheOptions);
  constructor(given: RedisCacheOptions | NamespaceOf<RedisCache> = {}) {
    const namespace = given instanceof NamespaceOf ? given : undefined;
    this.#parts = namespace?.parts ?? new CacheParts(resolveCacheOptions(given as RedisCacheOptions));
    this.#space = namespace?.space ?? new KeySpace();
    this.#root = namespace?.cache;
    this.#pair = this.#parts.pair;
    if (namespace === undefined) onAbandoned(this, this.#pair.close.bind(this.#pair));
    shareLink(this, () => this.#pair.link);
  }

  /**
   * A view of this cache whose keys, tags, `clear()`, events and counts in `getStats()` stand apart. It shares both
   * tiers, their bounds and the connection. Its `close()` closes nothing. Views of one name are one namespace, on every
   * process with this `keyPrefix`; counts are kept for the last 1000 names. `clear()` of this cache clears its
   * namespaces too. Namespaces may be nested.
   * @param name - 1 to 128 characters, no control characters.
   * @throws `DESCRIBE_INPUT_INVALID` for another name.
   */
  namespace(name: string): RedisCache {
    const namespace = new NamespaceOf(this.#root ?? this, this.#parts, this.#space, name);
    return new RedisCache(namespace as unknown as RedisCacheOptions);
  }

  /**
   * The value, or `undefined` when there is none, or it has expired or was invalidated.
   * @throws `DESCRIBE_INPUT_INVALID`, `DESCRIBE_CLOSED`; `DESCRIBE_CACHE` when strict.
   */
  async get<Value = unknown>(key: string): Promise<Value | undefined> {
    const name = this.#check(key);
    const entry = this.#pair.peek(name);
    if (entry !== undefined && entry.failure === undefined) {
      this.#pair.countMemoryHit(name);
      return entry.value as Value;
    }
    return (await this.getWithSource<Value>(key))?.value;
  }

  /** As `get`, with the tier of the value. */
  async getWithSource<Value = unknown>(
    key: string,
    { signal, isValid }: ReadOptions = {},
  ): Promise<CacheHit<Value, 'memory' | 'redis'> | undefined> {
    const name = this.#check(key);
    const found = await raceSignal(this.#parts.reader.read(name), signal);
    return this.#count<Value>(name, accepts(isValid, found?.entry.value) ? found : undefined);
  }

  /**
   * The value in memory that needs no question to Redis; `undefined` where only `getOrSet` can tell. Counts as a hit
   * where it returns a value.
   * @param isValid - As in `ReadOptions`; must not throw. @internal the short path of a client's hit
   */
  peekMemory(key: string, tags: readonly string[], isValid: (value: unknown) => boolean): unknown {
    if (this.#pair.isClosed) return undefined;
    const name = this.#space.prefix + key;
    const record = this.#pair.memory.get(name);
    if (record === undefined) return undefined;
    const nowMs = this.#pair.clock.now();
    const entry = this.#pair.validEntry(record, nowMs);
    if (entry === undefined || entry.failure !== undefined || !isValid(entry.value)) return undefined;
    for (const tag of this.#root === undefined ? tags : this.#space.nameTags(tags))
      if (!Object.hasOwn(entry.tags, tag)) return undefined;
    if (this.#parts.readThrough.marksDue(name, record, nowMs)) return undefined;
    this.#pair.countMemoryHit(name);
    return entry.value;
  }

  /** Whether `get` would find a value. */
  async has(key: string): Promise<boolean> {
    const found = await this.#parts.reader.read(this.#check(key));
    return found?.fresh === true && found.entry.failure === undefined;
  }

  /**
   * Stores a value until it expires or one of its tags is invalidated. Takes seconds and tags, or an options object.
   * While Redis can't take the value, only memory holds it: a later write to Redis could replace a newer value.
   * @throws `DESCRIBE_CACHE` for a value that can't be encoded (`undefined` too) or is larger than `maxValueBytes`.
   * @throws `DESCRIBE_INPUT_INVALID`, `DESCRIBE_CLOSED`.
   */
  async set(key: string, value: unknown, ttlSeconds?: number | SetOptions, tags?: readonly string[]): Promise<void> {
    const name = this.#check(key);
    await this.#setAll([{ key: name, value, ...setOptionsOf(ttlSeconds, tags) }]);
  }

  /** Stores many values, each with its own time to live and tags, in one round trip, or two for unknown tags. */
  async mset(given: readonly MsetEntry[]): Promise<void> {
    this.#checkOpen();
    const items = msetItemsOf(given, this.#space);
    if (items.length > 0) await this.#setAll(items);
  }

  /** The values in the order of the keys, `undefined` where there is none, in one round trip. */
  async mget<Value = unknown>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    this.#checkOpen();
    const { values, memoryHits, redisHits } = await this.#parts.reader.readMany(this.#space.keys(keys));
    this.#pair.count('memoryHits', this.#space.prefix, memoryHits);
    this.#pair.count('redisHits', this.#space.prefix, redisHits);
    this.#pair.count('misses', this.#space.prefix, values.length - memoryHits - redisHits);
    return values as (Value | undefined)[];
  }

  /**
   * The stored value, else the one that the factory makes, which is then stored. The factory of a key runs once at a
   * time, in this process and, through Redis, in all of them. See `GetOrSetOptions` for stale values and failures.
   * @throws the factory's error, `signal.reason`, `DESCRIBE_TIMEOUT` after `hardTimeoutMs`.
   * @throws `DESCRIBE_INPUT_INVALID`, `DESCRIBE_CLOSED`; `DESCRIBE_CACHE` when strict.
   */
  async getOrSet<Value>(key: string, factory: CacheFactory<Value>, options: GetOrSetOptions = {}): Promise<Value> {
    return (await this.getOrSetWithSource<Value>(key, factory, options)).value;
  }

  /** As `getOrSet`, with the source of the value. */
  getOrSetWithSource<Value>(
    key: string,
    factory: CacheFactory<Value>,
    options: GetOrSetOptions = {},
  ): Promise<CacheHit<Value, CacheSource>> {
    return this.#parts.readThrough.getOrSet<Value>(this.#space, key, factory, options);
  }

  /**
   * Removes an entry everywhere, and keeps running work on it from being stored. Returns whether there was one, as far
   * as is known.
   */
  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) > 0;
  }

  /** Removes entries everywhere in one round trip. Returns how many there were, as far as is known. */
  async deleteMany(keys: readonly string[]): Promise<number> {
    this.#checkOpen();
    // Copied, because the caller may change its list before Redis has answered.
    const names = [...this.#space.keys(keys)];
    if (names.length === 0) return 0;
    const removed = await this.#parts.change(names, [], () => this.#parts.writer.remove(names));
    this.#pair.events.emit('invalidated', { by: 'this-process', keys: names, tags: [] });
    return removed;
  }

  /**
   * Makes every entry with one of these tags a miss, on every process, at a cost that does not depend on their number.
   * Later reads of this process never see them, even while Redis is away.
   */
  async invalidateByTags(tags: readonly string[]): Promise<void> {
    this.#checkOpen();
    await this.#invalidate(this.#space.tags(tags));
  }

  /**
   * Invalidates these tags and removes their entries from both tiers at once, by a walk through all names. It is for
   * erasure, not for freshness. Returns how many entries Redis held. If Redis fails during the walk, the other entries
   * expire.
   */
  async purgeTags(tags: readonly string[]): Promise<number> {
    this.#checkOpen();
    const names = this.#space.tags(tags);
    await this.#invalidate(names);
    return purgeTags(this.#pair, names);
  }

  /** Makes every entry of this `keyPrefix`, or of this namespace, a miss on every process, without a walk. */
  async clear(): Promise<void> {
    this.#checkOpen();
    if (this.#root !== undefined) return this.#invalidate([this.#space.everyTag]);
    await this.#parts.change([], [this.#space.everyTag], () => this.#parts.writer.clear());
    this.#pair.events.emit('invalidated', { by: 'this-process', keys: [], tags: [] });
  }

  /** A key from any parts, see the function of the same name. It does not contain the prefix. */
  generateKey(...parts: readonly unknown[]): string {
    return generateKey(...parts);
  }

  /** The identity of an image, see the function of the same name. Synchronous. */
  generateImageHash(image: string | URL | Uint8Array | ArrayBuffer): string {
    return generateImageHash(image);
  }

  /** Calls `listener` on every later event of that name; what it throws is swallowed. */
  on<Name extends keyof RedisCacheEvents>(name: Name, listener: Listener<RedisCacheEvents[Name]>): Unsubscribe {
    return this.#parts.on(this.#space, name, listener);
  }

  /** A frozen snapshot. */
  getStats(): RedisCacheStats {
    return statsOf(this.#pair, this.#space.prefix);
  }

  /** A frozen snapshot of the cache's health, from what is known; sends nothing. */
  health(): RedisCacheHealth {
    return healthOf(this.#pair);
  }

  /**
   * Refuses new work, aborts refreshes in the background, and disconnects once Redis has answered, or after
   * `operationTimeoutMs`. Keeps the user's own client open. Does not wait for factories: their callers still get their
   * values, uncached. Idempotent. A namespace closes nothing.
   */
  close(): Promise<void> {
    if (this.#root !== undefined) return Promise.resolve();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    forgetAbandoned(this);
    this.#pair.isClosed = true;
    this.#parts.readThrough.close();
    await this.#pair.close();
  }

  #setAll(items: readonly SetItem[]): Promise<void> {
    const { writer } = this.#parts;
    const keys = items.map(({ key }) => key);
    return this.#parts.change(keys, [], () => setAll(this.#pair, writer, items, this.#space));
  }

  async #invalidate(tags: readonly string[]): Promise<void> {
    if (tags.length === 0) return;
    await this.#parts.change([], tags, () => this.#parts.writer.invalidate(tags));
    this.#pair.events.emit('invalidated', { by: 'this-process', keys: [], tags });
  }

  #count<Value>(name: string, found: Found | undefined): CacheHit<Value, 'memory' | 'redis'> | undefined {
    if (found?.fresh !== true || found.entry.failure !== undefined) {
      this.#pair.count('misses', name);
      return undefined;
    }
    this.#pair.count(found.tier === 'memory' ? 'memoryHits' : 'redisHits', name);
    return { value: found.entry.value as Value, source: found.tier };
  }

  /** The full name of a key. */
  #check(key: string): string {
    this.#checkOpen();
    return this.#space.key(key);
  }

  #checkOpen(): void {
    if (this.#pair.isClosed) throw new ClosedError('the cache');
  }
}

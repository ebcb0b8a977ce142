import { CacheError } from '../../errors/cache-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { isPromiseLike } from '../../internal/async/user-callback.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import { checkList, checkOptionNames, graceMsOf, type KeySpace, ttlMsOf } from '../entries/cache-input.ts';
import { encodeEntry } from '../entries/encode-entry.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { TierPair } from './tier-pair.ts';
import type { KeyedEntry, TieredWriter } from './tiered-writer.ts';

export interface SetOptions {
  /** Time to live of the entry in seconds, from 0.001 to ten years. @defaultValue the cache's `defaultTTL` */
  readonly ttlSeconds?: number | undefined;
  /** Tags by which it can be invalidated, at most 128. @defaultValue none */
  readonly tags?: readonly string[] | undefined;
  /** Seconds for which `getOrSet` may serve the expired entry. @defaultValue the cache's `graceSeconds` */
  readonly graceSeconds?: number | undefined;
}

export const SET_OPTION_NAMES: Record<keyof SetOptions, true> = {
  ttlSeconds: true,
  tags: true,
  graceSeconds: true,
};

/** The options of `set` in either form. @throws `DESCRIBE_INPUT_INVALID` for one that would have no effect. */
export function setOptionsOf(
  options: number | SetOptions | undefined,
  tags: readonly string[] | undefined,
): SetOptions {
  const given = typeof options === 'object' ? callOptions(options) : options;
  if (typeof given !== 'object') return { ttlSeconds: given, tags };
  checkOptionNames(given, SET_OPTION_NAMES);
  if (tags !== undefined) throw new InputError('tags', 'expected in the options, got an argument beside them');
  // Read by name, because they may be inherited.
  return { ttlSeconds: given.ttlSeconds, tags: given.tags, graceSeconds: given.graceSeconds };
}

/** One entry of `mset`. */
export interface MsetEntry {
  readonly key: string;
  readonly data: unknown;
  /** Seconds. @defaultValue the cache's `defaultTTL` */
  readonly ttl?: number | undefined;
  readonly tags?: readonly string[] | undefined;
}

const MSET_NAMES: Record<keyof MsetEntry, true> = { key: true, data: true, ttl: true, tags: true };

/** One value to store, under the full name of its key. */
export interface SetItem extends SetOptions {
  readonly key: string;
  readonly value: unknown;
}

/** The values to store of `mset`. @throws `DESCRIBE_INPUT_INVALID` for a wrong one. */
export function msetItemsOf(given: readonly MsetEntry[], space: KeySpace): readonly SetItem[] {
  checkList(given, 'entries');
  return given.map((entry) => {
    const own = callOptions(entry);
    checkOptionNames(own, MSET_NAMES);
    const { key, data, ttl, tags } = own;
    return { key: space.key(key), value: data, ttlSeconds: ttl, tags, graceSeconds: undefined };
  });
}

/** Stores values under tag versions that are read first. Stores none where one of them can't be stored. */
export async function setAll(
  pair: TierPair,
  writer: TieredWriter,
  items: readonly SetItem[],
  space: KeySpace,
): Promise<void> {
  const { options, removals } = pair;
  const plans = items.map(({ key, value, ttlSeconds, tags, graceSeconds }) => {
    if (value === undefined)
      throw new CacheError('`undefined` can not be stored because it means a miss; store `null` for no value');
    if (isPromiseLike(value))
      throw new CacheError('a promise can not be stored; await it, and store what it resolves to');
    const ttlMs = ttlMsOf(ttlSeconds, options.defaultTtlMs);
    const graceMs = graceMsOf(graceSeconds, options.graceMs);
    return { key, value, tags: space.entryTags(tags), ttlMs, graceMs };
  });
  const longestMs = plans.reduce((most, { ttlMs, graceMs }) => Math.max(most, ttlMs + graceMs), 0);
  const began = removals.begin();
  try {
    const stamps = await writer.stamp([...new Set(plans.flatMap(({ tags }) => tags))], longestMs);
    const encode = async ({ key, value, tags, ttlMs, graceMs }: (typeof plans)[number]): Promise<KeyedEntry> => {
      const own = Object.fromEntries([EVERY_ENTRY, ...tags].map((tag) => [tag, stamps.tags[tag] ?? '']));
      const content = { value, tags: own, ttlMs, graceMs, costMs: 0 };
      return { key, keepMs: ttlMs + graceMs, ...(await encodeEntry(content, options, pair.clock.now())) };
    };
    await writer.write(await Promise.all(plans.map(encode)), stamps.shared, began);
  } finally {
    removals.end();
  }
}

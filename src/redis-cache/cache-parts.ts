import type { Listener, Unsubscribe } from '../internal/emitter.ts';
import { KeySpace } from './entries/cache-input.ts';
import { ReadThrough } from './filling/read-through.ts';
import type { RedisCacheEvents } from './tiers/cache-events.ts';
import type { CacheSettings } from './tiers/cache-settings.ts';
import { TierPair } from './tiers/tier-pair.ts';
import { TieredReader } from './tiers/tiered-reader.ts';
import { TieredWriter } from './tiers/tiered-writer.ts';

/** The parts that a cache and its namespaces share. */
export class CacheParts {
  readonly pair: TierPair;
  readonly reader: TieredReader;
  readonly writer: TieredWriter;
  readonly readThrough: ReadThrough;

  constructor(settings: CacheSettings) {
    this.pair = new TierPair(settings);
    this.reader = new TieredReader(this.pair);
    this.writer = new TieredWriter(this.pair);
    this.readThrough = new ReadThrough(this.pair, this.reader, this.writer);
  }

  /** Calls `listener` on the events that concern the space. */
  on<Name extends keyof RedisCacheEvents>(
    space: KeySpace,
    name: Name,
    listener: Listener<RedisCacheEvents[Name]>,
  ): Unsubscribe {
    if (space.prefix === '') return this.pair.events.on(name, listener);
    return this.pair.events.on(name, (payload) => {
      const own = eventOf(space, payload);
      return own === undefined ? undefined : listener(own);
    });
  }

  /** Makes a change to keys or tags. Keeps work that began before or during it from being stored. */
  async change<Result>(
    keys: readonly string[],
    tags: readonly string[],
    change: () => Promise<Result>,
  ): Promise<Result> {
    this.readThrough.supersede(keys, tags);
    const result = await change();
    this.readThrough.supersede(keys, tags);
    return result;
  }
}

/** A namespace of a cache, from which its view is made. */
export class NamespaceOf<Cache extends object> {
  readonly parts: CacheParts;
  readonly space: KeySpace;
  /** Held by the view, because a cache that nobody holds is closed. */
  readonly cache: Cache;

  /** @throws `DESCRIBE_INPUT_INVALID` for a wrong name. */
  constructor(cache: Cache, parts: CacheParts, around: KeySpace, name: string) {
    this.cache = cache;
    this.parts = parts;
    this.space = new KeySpace(around, name);
  }
}

/** An event as the listeners of a namespace get it: with its own names. Undefined where it concerns other ones only. */
function eventOf<Name extends keyof RedisCacheEvents>(
  space: KeySpace,
  payload: RedisCacheEvents[Name],
): RedisCacheEvents[Name] | undefined {
  const { keys, tags, key } = payload as Partial<RedisCacheEvents['invalidated'] & RedisCacheEvents['storeFailed']>;
  if (key !== undefined) {
    const [own] = space.own([key]);
    return own === undefined ? undefined : { ...payload, key: own };
  }
  if (keys === undefined || tags === undefined) return payload;
  const own = { keys: space.own(keys), tags: space.own(tags) };
  if (keys.length + tags.length === 0 || space.isClearedBy(tags)) return { ...payload, keys: [], tags: [] };
  return own.keys.length + own.tags.length === 0 ? undefined : { ...payload, ...own };
}

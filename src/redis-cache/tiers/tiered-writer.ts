import type { TagStamps } from '../entries/cache-entry.ts';
import type { EncodedEntry } from '../entries/encode-entry.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { TagVersions } from '../redis/redis-tier.ts';
import type { ReadTicket } from '../tags/removal-guard.ts';
import type { TierPair } from './tier-pair.ts';

/** Tag versions for new entries, taken before their values were made. */
export interface Stamps {
  readonly tags: TagStamps;
  /** Whether the versions came from Redis. An entry with other ones is for this process alone. */
  readonly shared: boolean;
}

export interface KeyedEntry extends EncodedEntry {
  readonly key: string;
  /** Milliseconds for which Redis holds the entry: its time to live and its grace period. */
  readonly keepMs: number;
}

/** Writes and removes in both tiers. An invalidation that did not reach Redis is remembered until it has. */
export class TieredWriter {
  readonly #pair: TierPair;

  constructor(pair: TierPair) {
    this.#pair = pair;
  }

  /** Stamps for a value that exists already. An invalidation that begins after this call wins over it. */
  async stamp(tags: readonly string[], keepMs: number): Promise<Stamps> {
    const { link, clock } = this.#pair;
    const nowMs = clock.now();
    const all = withEveryEntry(tags);
    if (link === undefined) return this.#ownStamps(tags, nowMs);
    const trusted = this.#pair.tags.trusted(all, nowMs, nowMs + keepMs);
    if (trusted !== undefined && link.gateway.available) return { tags: trusted, shared: true };
    const ticket = this.#pair.tags.guard.begin();
    const drops = this.#pair.tags.drops.begin();
    try {
      const reply = await link.tier.stamp(all, keepMs * 2, link.gateway.deadline(all.length));
      const asked = { ticket, askedAtMs: nowMs, keepMs: keepMs * 2 };
      const stamps = this.adopt(tags, this.#pair.unwrap(reply), asked);
      // Redis may have answered after an invalidation that began once the value existed.
      return { ...stamps, tags: this.#pair.tags.since(drops, stamps.tags) };
    } finally {
      this.#pair.tags.guard.end();
      this.#pair.tags.drops.end();
    }
  }

  /** Stamps from the versions of Redis, or of this process alone where Redis did not answer. */
  adopt(
    tags: readonly string[],
    versions: TagVersions | undefined,
    { ticket, askedAtMs, keepMs }: { readonly ticket: number; readonly askedAtMs: number; readonly keepMs: number },
  ): Stamps {
    const stamps: [string, string][] = [];
    const outage = this.#pair.link?.outage;
    for (const tag of withEveryEntry(tags)) {
      const version = versions?.get(tag);
      if (version === undefined) return this.#ownStamps(tags, this.#pair.clock.now());
      stamps.push([tag, version]);
      if (!outage?.distrustsTag(tag)) {
        this.#pair.tags.learn(ticket, tag, version, askedAtMs, askedAtMs + keepMs);
      }
    }
    return { tags: Object.fromEntries(stamps), shared: true };
  }

  /**
   * Writes entries, except keys that were removed since `began`, a ticket of `removals`. An entry that Redis did not
   * take is in this process alone, which then distrusts the older one in Redis.
   */
  async write(all: readonly KeyedEntry[], shared: boolean, began: ReadTicket): Promise<void> {
    const { link, guard, removals, clock } = this.#pair;
    const startedAtMs = clock.now();
    const entries = all.filter(({ key }) => removals.isClean(began, key));
    if (entries.length === 0) return;
    const keys = entries.map(({ key }) => key);
    for (const key of keys) {
      this.#pair.count('writes', key);
      guard.removed(key);
    }
    const ticket = guard.begin();
    try {
      const refused = link === undefined ? [] : await this.#writeRedis(entries, shared, link);
      const endedAtMs = clock.now();
      for (const { key, entry } of entries) {
        // A later write or removal of the same key wins.
        if (guard.isClean(ticket, key)) this.#pair.remember(key, entry, startedAtMs, endedAtMs);
        else this.#pair.memory.delete(key);
      }
      for (const key of refused) this.#pair.count('droppedWrites', key);
    } finally {
      guard.end();
    }
  }

  /** Removes keys. Returns how many there were, as far as is known. */
  async remove(keys: readonly string[]): Promise<number> {
    const { link, memory, removals } = this.#pair;
    const held = keys.filter((key) => memory.get(key) !== undefined).length;
    for (const key of keys) {
      this.#pair.count('removals', key);
      removals.removed(key);
    }
    this.#pair.forgetKeys(keys);
    if (link === undefined) return held;
    const reply = await link.tier.remove(keys, link.gateway.deadline(keys.length));
    // Again, because a read that began since may have asked Redis before the removal reached it.
    this.#pair.forgetKeys(keys);
    if (!reply.ok) {
      link.outage.addKeys(keys);
      link.replayLater();
    }
    return this.#pair.unwrap(reply) ?? held;
  }

  async invalidate(tags: readonly string[]): Promise<void> {
    const { link } = this.#pair;
    for (const tag of tags) this.#pair.count('invalidatedTags', tag);
    this.#pair.tags.drop(tags);
    if (link === undefined) return;
    const reply = await link.tier.removeTags(tags, link.gateway.deadline(tags.length));
    if (!reply.ok) {
      link.outage.addTags(tags);
      link.replayLater();
    }
    this.#pair.tags.drop(tags);
    this.#pair.unwrap(reply);
  }

  async clear(): Promise<void> {
    this.#pair.memory.clear();
    await this.invalidate([EVERY_ENTRY]);
    this.#pair.memory.clear();
  }

  #ownStamps(tags: readonly string[], nowMs: number): Stamps {
    return { tags: this.#pair.tags.own(tags, nowMs), shared: false };
  }

  async #writeRedis(entries: readonly KeyedEntry[], shared: boolean, link: RedisLink): Promise<readonly string[]> {
    const keys = entries.map(({ key }) => key);
    const reply = shared ? await link.tier.write(entries, link.gateway.deadline(entries.length)) : undefined;
    const refused = reply?.ok ? keys.filter((_, index) => reply.value[index] !== true) : keys;
    if (refused.length > 0) link.outdate(refused);
    if (reply !== undefined) this.#pair.unwrap(reply);
    return refused;
  }
}

function withEveryEntry(tags: readonly string[]): readonly string[] {
  return [...new Set([...tags, EVERY_ENTRY])];
}

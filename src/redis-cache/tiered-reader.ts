import { wallClockNow } from '../internal/clock.ts';
import { type CacheEntry, EVERY_ENTRY, type TagStamps } from './cache-entry.ts';
import { decodeEntry } from './envelope.ts';
import { carriesId } from './envelope-head.ts';
import type { TagVerdict } from './local-tags.ts';
import type { MemoryRecord } from './memory-tier.ts';
import type { ReadTicket } from './read-guard.ts';
import type { OperationDeadline } from './redis-gateway.ts';
import type { RedisLink } from './redis-link.ts';
import type { TagVersions } from './redis-tier.ts';
import type { Tiers } from './tiers.ts';

/** An entry that is valid as far as this process may know; fresh, or stale within its grace. */
export interface Found {
  readonly entry: CacheEntry;
  readonly tier: 'memory' | 'redis';
  readonly fresh: boolean;
}

/** Fresh values in the order of their keys, `undefined` where there is none, and how many came from which tier. */
export interface FoundValues {
  readonly values: readonly unknown[];
  readonly memoryHits: number;
  readonly redisHits: number;
}

/** An entry with tags that this process does not know the versions of. */
interface Doubtful {
  readonly place: number;
  readonly entry: CacheEntry;
  readonly tags: readonly string[];
}

interface ReadContext {
  readonly link: RedisLink;
  readonly ticket: ReadTicket;
  readonly tagTicket: ReadTicket;
  readonly askedAtMs: number;
  readonly deadline: OperationDeadline;
}

/** Reads through both tiers: memory where it may be trusted, else Redis, which is always asked for the tags it does not know. */
export class TieredReader {
  readonly #tiers: Tiers;

  constructor(tiers: Tiers) {
    this.#tiers = tiers;
  }

  /** Also finds what is stale within its grace. */
  async read(key: string): Promise<Found | undefined> {
    const { memory, nowMs, tags } = this.#tiers;
    let record = memory.get(key);
    let unknown: readonly string[] = [];
    if (record !== undefined) {
      const verdict = this.#tiers.judge(record, nowMs);
      if (verdict.kind === 'valid') return found(record.entry, 'memory', nowMs);
      if (verdict.kind === 'unverified') {
        unknown = verdict.tags;
      } else {
        memory.delete(key);
        record = undefined;
      }
    } else if (tags.judge({ [EVERY_ENTRY]: '' }, nowMs).kind !== 'valid') {
      unknown = [EVERY_ENTRY];
    }
    const { link } = this.#tiers;
    if (link === undefined) return undefined;
    return this.#asking(link, 1, (context) => this.#readOne(key, record, unknown, context));
  }

  /** The fresh values of many keys in one round trip, two where tags are not known. */
  async readMany(keys: readonly string[]): Promise<FoundValues> {
    const { link } = this.#tiers;
    const values: unknown[] = [];
    const asked: string[] = [];
    const places: number[] = [];
    let memoryHits = 0;
    for (const key of keys) {
      const entry = this.#tiers.peek(key);
      values.push(entry?.value);
      if (entry !== undefined) {
        if (entry.failure === undefined) memoryHits += 1;
      } else if (link !== undefined && !link.outage.distrusts(key)) {
        asked.push(key);
        places.push(values.length - 1);
      }
    }
    if (link === undefined || asked.length === 0) return { values, memoryHits, redisHits: 0 };
    return this.#asking(link, asked.length, async (context) => {
      const texts = this.#tiers.unwrap(await link.tier.readMany(asked, context.deadline)) ?? [];
      const entries = await this.#believe(asked, texts, new Map(), context);
      const { nowMs } = this.#tiers;
      let redisHits = 0;
      for (let index = 0; index < entries.length; index += 1) {
        const entry = entries[index];
        if (entry === undefined || entry.failure !== undefined || nowMs >= entry.freshUntilMs) continue;
        values[places[index] ?? 0] = entry.value;
        redisHits += 1;
      }
      return { values, memoryHits, redisHits };
    });
  }

  async #asking<Result>(
    link: RedisLink,
    keys: number,
    work: (context: ReadContext) => Promise<Result>,
  ): Promise<Result> {
    const { guard, tags, nowMs } = this.#tiers;
    const deadline = link.gateway.deadline(keys);
    const context = { link, ticket: guard.begin(), tagTicket: tags.begin(), askedAtMs: nowMs, deadline };
    try {
      return await work(context);
    } finally {
      guard.end();
      tags.end();
    }
  }

  async #readOne(
    key: string,
    record: MemoryRecord | undefined,
    tags: readonly string[],
    context: ReadContext,
  ): Promise<Found | undefined> {
    const { link, deadline } = context;
    if (link.outage.distrusts(key)) return this.#lastResort(key, record);
    const reply = await link.tier.read(key, tags, deadline);
    const raw = this.#tiers.unwrap(reply);
    if (raw === undefined) return this.#lastResort(key, record);
    if (raw.text === undefined) {
      if (record !== undefined) this.#tiers.memory.delete(key);
      return undefined;
    }
    const versions = this.#learn(raw.versions, context);
    const [entry] = await this.#believe([key], [raw.text], versions, context);
    return entry === undefined ? undefined : found(entry, 'redis', this.#tiers.nowMs);
  }

  /** Takes an entry that came with another operation, such as a claim, as `read` would. */
  async accept(key: string, text: string, link: RedisLink): Promise<Found | undefined> {
    return this.#asking(link, 1, async (context) => {
      if (link.outage.distrusts(key)) return undefined;
      const [entry] = await this.#believe([key], [text], new Map(), context);
      return entry === undefined ? undefined : found(entry, 'redis', this.#tiers.nowMs);
    });
  }

  /**
   * The entries that these texts under these keys are, where every tag has the version they carry, asking Redis for the
   * versions not known; undefined in the place of the others.
   */
  async #believe(
    keys: readonly string[],
    texts: readonly (string | undefined)[],
    known: TagVersions,
    context: ReadContext,
  ): Promise<(CacheEntry | undefined)[]> {
    const { tags, nowMs, options, memory } = this.#tiers;
    const wallMs = wallClockNow();
    const entries: (CacheEntry | undefined)[] = [];
    const doubtful: Doubtful[] = [];
    let verdict: TagVerdict | undefined;
    let judged: TagStamps | undefined;
    for (let place = 0; place < texts.length; place += 1) {
      const text = texts[place];
      entries.push(undefined);
      const key = keys[place];
      if (text === undefined || key === undefined) continue;
      const decoding = this.#decode(text, memory.get(key), nowMs, wallMs);
      const entry = decoding instanceof Promise ? await decoding : decoding;
      if (entry === undefined) this.#reject(key, context.link);
      if (entry === undefined || nowMs >= entry.staleUntilMs) continue;
      if (context.link.outage.distrustsStamps(entry.tags)) continue;
      // Entries made together share their stamps, and so the verdict.
      if (verdict === undefined || entry.tags !== judged) verdict = tags.judge(entry.tags, nowMs);
      judged = entry.tags;
      if (verdict.kind === 'valid') entries[place] = entry;
      else if (verdict.kind === 'unknown') doubtful.push({ place, entry, tags: verdict.tags });
    }
    if (doubtful.length > 0) {
      const unknown = new Set(
        doubtful.flatMap(({ tags: doubted }) => doubted).filter((tag) => !known.has(tag)),
      );
      const versions = unknown.size === 0 ? known : await this.#ask([...unknown], known, context);
      for (const { place, entry, tags: doubted } of doubtful) {
        if (versions === undefined) continue;
        if (doubted.every((tag) => versions.get(tag) === entry.tags[tag])) entries[place] = entry;
        else this.#drop(keys[place], context);
      }
    }
    // More than memory holds would only drive out what is there, itself too.
    if (entries.length > options.memory.maxEntries) return entries;
    for (const [place, entry] of entries.entries()) {
      const key = keys[place];
      if (entry !== undefined && key !== undefined) this.#keep(key, entry, context);
    }
    return entries;
  }

  #drop(key: string | undefined, { ticket }: ReadContext): void {
    if (key !== undefined && this.#tiers.guard.isClean(ticket, key)) this.#tiers.memory.delete(key);
  }

  #decode(text: string, record: MemoryRecord | undefined, nowMs: number, wallMs: number) {
    if (record !== undefined && carriesId(text, record.entry.id)) return record.entry;
    return decodeEntry(text, this.#tiers.options, nowMs, wallMs);
  }

  #keep(key: string, entry: CacheEntry, { ticket, askedAtMs }: ReadContext): void {
    const { guard, memory } = this.#tiers;
    if (!guard.isClean(ticket, key)) return;
    const record = memory.get(key);
    if (record?.entry === entry) this.#tiers.confirm(record, askedAtMs);
    else this.#tiers.remember(key, entry, askedAtMs);
  }

  async #ask(
    tags: readonly string[],
    known: TagVersions,
    context: ReadContext,
  ): Promise<TagVersions | undefined> {
    const asked = this.#tiers.unwrap(await context.link.tier.versions(tags, context.deadline));
    if (asked === undefined) return undefined;
    return new Map([...known, ...this.#learn(asked, context)]);
  }

  /** Remembers versions, and takes those whose invalidation Redis has not heard of for missing. */
  #learn(versions: TagVersions, { link, tagTicket, askedAtMs }: ReadContext): TagVersions {
    const believed = new Map<string, string | undefined>();
    for (const [tag, said] of versions) {
      const version = link.outage.distrustsTag(tag) ? undefined : said;
      believed.set(tag, version);
      this.#tiers.tags.learn(tagTicket, tag, version, askedAtMs);
    }
    return believed;
  }

  /** Redis can't be asked: memory may be believed for as long as `outageTrustMs` says. */
  #lastResort(key: string, record: MemoryRecord | undefined): Found | undefined {
    const { nowMs, options, memory } = this.#tiers;
    if (record === undefined || memory.get(key) !== record) return undefined;
    const verdict = this.#tiers.judge(record, nowMs, options.outageTrustMs);
    return verdict.kind === 'valid' ? found(record.entry, 'memory', nowMs) : undefined;
  }

  #reject(key: string, link: RedisLink): void {
    this.#tiers.counters.rejectedEntries += 1;
    this.#tiers.events.emit('entryRejected', { key });
    void link.tier.remove([key], link.gateway.deadline());
  }
}

const found = (entry: CacheEntry, tier: Found['tier'], nowMs: number): Found => ({
  entry,
  tier,
  fresh: nowMs < entry.freshUntilMs,
});

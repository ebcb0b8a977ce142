import { type CacheEntry, EVERY_ENTRY, type TagStamps } from './cache-entry.ts';
import { carriesId, decodeEntry } from './envelope.ts';
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

/** What Redis gave for a key, on its way to be believed. */
interface Candidate {
  readonly key: string;
  readonly text: string;
  readonly record: MemoryRecord | undefined;
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

  /** The same for many keys in one round trip, two where tags are not known. Answers in the order of the keys. */
  async readMany(keys: readonly string[]): Promise<(Found | undefined)[]> {
    const { nowMs, link } = this.#tiers;
    const results = keys.map((key) => {
      const entry = this.#tiers.peek(key);
      return entry === undefined ? undefined : found(entry, 'memory', nowMs);
    });
    const missing = keys.flatMap((key, index) => (results[index] === undefined ? [{ key, index }] : []));
    if (link === undefined || missing.length === 0) return results;
    await this.#asking(link, missing.length, async (context) => {
      const asked =
        link.outage.size === 0 ? missing : missing.filter(({ key }) => !link.outage.distrusts(key));
      if (asked.length === 0) return;
      const names = asked.map(({ key }) => key);
      const texts = this.#tiers.unwrap(await link.tier.readMany(names, context.deadline));
      const candidates = asked.flatMap(({ key }, position): Candidate[] => {
        const text = texts?.[position];
        return text === undefined ? [] : [{ key, text, record: this.#tiers.memory.get(key) }];
      });
      const entries = await this.#believe(candidates, new Map(), context);
      const thenMs = this.#tiers.nowMs;
      for (const { key, index } of asked) {
        const entry = entries.get(key);
        if (entry !== undefined) results[index] = found(entry, 'redis', thenMs);
      }
    });
    return results;
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
    const entry = (await this.#believe([{ key, text: raw.text, record }], versions, context)).get(key);
    return entry === undefined ? undefined : found(entry, 'redis', this.#tiers.nowMs);
  }

  /** Takes an entry that came with another operation, such as a claim, as `read` would. */
  async accept(key: string, text: string, link: RedisLink): Promise<Found | undefined> {
    return this.#asking(link, 1, async (context) => {
      if (link.outage.distrusts(key)) return undefined;
      const record = this.#tiers.memory.get(key);
      const entry = (await this.#believe([{ key, text, record }], new Map(), context)).get(key);
      return entry === undefined ? undefined : found(entry, 'redis', this.#tiers.nowMs);
    });
  }

  /** Keeps those candidates whose every tag has the version they carry, asking Redis for the versions not known. */
  async #believe(
    candidates: readonly Candidate[],
    known: TagVersions,
    context: ReadContext,
  ): Promise<ReadonlyMap<string, CacheEntry>> {
    const { tags, nowMs } = this.#tiers;
    const believed = new Map<string, CacheEntry>();
    const doubtful: {
      readonly candidate: Candidate;
      readonly entry: CacheEntry;
      readonly tags: readonly string[];
    }[] = [];
    // Entries made together share their stamps, and so the verdict.
    const verdicts = new Map<TagStamps, TagVerdict>();
    for (const candidate of candidates) {
      const decoding = this.#decode(candidate, nowMs);
      const entry = decoding instanceof Promise ? await decoding : decoding;
      if (entry === undefined) this.#reject(candidate.key, context.link);
      if (entry === undefined || nowMs >= entry.staleUntilMs) continue;
      if (context.link.outage.distrustsStamps(entry.tags)) continue;
      const verdict = verdicts.get(entry.tags) ?? tags.judge(entry.tags, nowMs);
      verdicts.set(entry.tags, verdict);
      if (verdict.kind === 'valid') believed.set(candidate.key, entry);
      else if (verdict.kind === 'unknown') doubtful.push({ candidate, entry, tags: verdict.tags });
    }
    const unknown = new Set(
      doubtful.flatMap(({ tags: doubted }) => doubted).filter((tag) => !known.has(tag)),
    );
    const versions = unknown.size === 0 ? known : await this.#ask([...unknown], known, context);
    for (const { candidate, entry, tags: doubted } of doubtful) {
      if (versions !== undefined && doubted.every((tag) => versions.get(tag) === entry.tags[tag])) {
        believed.set(candidate.key, entry);
      } else if (versions !== undefined && candidate.record !== undefined) {
        this.#tiers.memory.delete(candidate.key);
      }
    }
    // More than memory holds would only drive out what is there, itself too.
    if (believed.size <= this.#tiers.options.memory.maxEntries) {
      for (const candidate of candidates) {
        const entry = believed.get(candidate.key);
        if (entry !== undefined) this.#keep(candidate, entry, context);
      }
    }
    return believed;
  }

  #decode({ text, record }: Candidate, nowMs: number) {
    if (record !== undefined && carriesId(text, record.entry.id)) return record.entry;
    return decodeEntry(text, this.#tiers.options, nowMs);
  }

  #keep({ key, record }: Candidate, entry: CacheEntry, { ticket, askedAtMs }: ReadContext): void {
    const { guard, memory } = this.#tiers;
    if (!guard.isClean(ticket, key)) return;
    const kept = this.#tiers.remember(key, entry, askedAtMs);
    const before = record ?? memory.get(key);
    if (before?.entry === entry) kept.refreshNotBeforeMs = before.refreshNotBeforeMs;
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

import { wallClockNow } from '../internal/clock.ts';
import type { CacheEntry, TagStamps } from './cache-entry.ts';
import { decodeEntry, isTooLarge } from './envelope.ts';
import { carriesId } from './envelope-head.ts';
import type { ReadTicket } from './read-guard.ts';
import type { OperationDeadline } from './redis-gateway.ts';
import type { RedisLink } from './redis-link.ts';
import type { TagVersions } from './redis-tier.ts';
import type { Tiers } from './tiers.ts';

/** What a read of Redis knows of its own beginning. */
export interface ReadContext {
  readonly link: RedisLink;
  readonly ticket: ReadTicket;
  readonly tagTicket: ReadTicket;
  readonly askedAtMs: number;
  readonly deadline: OperationDeadline;
}

/** An entry with tags that this process does not know the versions of. */
interface Doubtful {
  readonly place: number;
  readonly entry: CacheEntry;
  readonly tags: readonly string[];
}

export interface EntryCheckInput {
  readonly keys: readonly string[];
  /** What memory holds under them, in their places: need not be decoded when Redis has the same write. */
  readonly held: readonly (CacheEntry | undefined)[] | undefined;
  readonly context: ReadContext;
  /** Told of each entry to believe, once. */
  readonly onEntry: (place: number, entry: CacheEntry) => void;
}

/**
 * Finds out which of the texts under some keys are entries to believe: decoded, not over, and every tag of the version
 * they carry. Texts are taken as they arrive, so that decoding some goes on while Redis still works on others.
 */
export class EntryCheck {
  readonly #tiers: Tiers;
  readonly #keys: readonly string[];
  readonly #held: readonly (CacheEntry | undefined)[] | undefined;
  readonly #context: ReadContext;
  readonly #onEntry: (place: number, entry: CacheEntry) => void;
  /** What memory takes in at the end; nothing where it holds less than was asked for, which would only drive itself out. */
  readonly #toKeep: (CacheEntry | undefined)[] | undefined;
  readonly #doubtful: Doubtful[] = [];
  readonly #decoding: Promise<void>[] = [];
  readonly #rejected: string[] = [];

  constructor(tiers: Tiers, { keys, held, context, onEntry }: EntryCheckInput) {
    this.#tiers = tiers;
    this.#keys = keys;
    this.#held = held;
    this.#context = context;
    this.#onEntry = onEntry;
    if (keys.length <= tiers.options.memory.maxEntries) this.#toKeep = [];
  }

  /** Takes in what stood under the keys from the `first` one on; anything but text is a miss. */
  take(first: number, texts: readonly unknown[]): void {
    const { nowMs, options } = this.#tiers;
    const wallMs = wallClockNow();
    const held = this.#held;
    let judged: TagStamps | undefined;
    for (let index = 0; index < texts.length; index += 1) {
      const text = texts[index];
      if (typeof text !== 'string' || text === '') continue;
      const place = first + index;
      const known = held?.[place];
      const decoded =
        known !== undefined && carriesId(text, known.id) ? known : decodeEntry(text, options, nowMs, wallMs);
      if (decoded === undefined) {
        this.#reject(place);
        if (isTooLarge(text, options)) this.#context.link.tier.becomeCareful(this.#context.deadline);
      } else if (decoded instanceof Promise) {
        this.#decoding.push(decoded.then((entry) => this.#takeLate(place, entry)));
      } else if (decoded.tags === judged && nowMs < decoded.staleUntilMs) {
        // Entries made together share their stamps, and so the verdict.
        this.#accept(place, decoded);
      } else if (this.#judge(place, decoded, nowMs)) {
        judged = decoded.tags;
      }
    }
  }

  /** Waits for what has to be decompressed: after that nobody is told of an entry without `settle`. */
  async decoded(): Promise<void> {
    await Promise.all(this.#decoding);
  }

  /** Decides what is still open, asking Redis for versions that nobody here knows, and lets memory hold what is believed. */
  async settle(known: TagVersions): Promise<void> {
    await this.decoded();
    this.#removeRejected();
    if (this.#doubtful.length > 0) await this.#resolveDoubts(known);
    this.#toKeep?.forEach((entry, place) => {
      const key = this.#keys[place];
      if (entry !== undefined && key !== undefined) this.#keep(key, entry);
    });
  }

  /** Remembers versions, and takes those whose invalidation Redis has not heard of for missing. */
  learn(versions: TagVersions): TagVersions {
    const { link, tagTicket, askedAtMs } = this.#context;
    const believed = new Map<string, string | undefined>();
    for (const [tag, said] of versions) {
      const version = link.outage.distrustsTag(tag) ? undefined : said;
      believed.set(tag, version);
      this.#tiers.tags.learn(tagTicket, tag, version, askedAtMs);
    }
    return believed;
  }

  #accept(place: number, entry: CacheEntry): void {
    this.#onEntry(place, entry);
    if (this.#toKeep !== undefined) this.#toKeep[place] = entry;
  }

  #takeLate(place: number, entry: CacheEntry | undefined): void {
    if (entry === undefined) this.#reject(place);
    else this.#judge(place, entry, this.#tiers.nowMs);
  }

  /** Whether it is valid beyond doubt. */
  #judge(place: number, entry: CacheEntry, nowMs: number): boolean {
    if (nowMs >= entry.staleUntilMs || this.#context.link.outage.distrustsStamps(entry.tags)) return false;
    const verdict = this.#tiers.tags.judge(entry.tags, nowMs);
    if (verdict.kind === 'valid') this.#accept(place, entry);
    else if (verdict.kind === 'unknown') this.#doubtful.push({ place, entry, tags: verdict.tags });
    return verdict.kind === 'valid';
  }

  async #resolveDoubts(known: TagVersions): Promise<void> {
    const unknown = new Set<string>();
    for (const { tags } of this.#doubtful) {
      for (const tag of tags) if (!known.has(tag)) unknown.add(tag);
    }
    const versions = unknown.size === 0 ? known : await this.#ask([...unknown], known);
    if (versions === undefined) return;
    for (const { place, entry, tags } of this.#doubtful) {
      if (tags.every((tag) => versions.get(tag) === entry.tags[tag])) this.#accept(place, entry);
      else this.#drop(place);
    }
  }

  async #ask(tags: readonly string[], known: TagVersions): Promise<TagVersions | undefined> {
    const { link, deadline } = this.#context;
    const asked = this.#tiers.unwrap(await link.tier.versions(tags, deadline));
    if (asked === undefined) return undefined;
    return new Map([...known, ...this.learn(asked)]);
  }

  #drop(place: number): void {
    const key = this.#keys[place];
    const { guard, memory } = this.#tiers;
    if (key !== undefined && guard.isClean(this.#context.ticket, key)) memory.delete(key);
  }

  #keep(key: string, entry: CacheEntry): void {
    const { guard, memory } = this.#tiers;
    const { ticket, askedAtMs } = this.#context;
    if (!guard.isClean(ticket, key)) return;
    const record = memory.get(key);
    if (record?.entry === entry) this.#tiers.confirm(record, askedAtMs);
    else this.#tiers.remember(key, entry, askedAtMs);
  }

  #reject(place: number): void {
    const key = this.#keys[place];
    if (key === undefined) return;
    this.#rejected.push(key);
    this.#tiers.counters.rejectedEntries += 1;
    this.#tiers.events.emit('entryRejected', { key });
  }

  #removeRejected(): void {
    const { link } = this.#context;
    const count = this.#rejected.length;
    if (count > 0) void link.tier.remove(this.#rejected, link.gateway.deadline(count));
  }
}

import { wallClockNow } from '../../internal/clock.ts';
import type { CacheEntry, TagStamps } from '../entries/cache-entry.ts';
import { carriesId, decodeEntry, decodeJson, freshUntilMs, readHead } from '../entries/decode-entry.ts';
import { isTooLarge } from '../entries/encode-entry.ts';
import type { OperationDeadline } from '../redis/redis-gateway.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import type { TagVersions } from '../redis/redis-tier.ts';
import { STALE, type TagVerdict } from '../tags/local-tags.ts';
import type { ReadTicket } from '../tags/removal-guard.ts';
import type { TierPair } from './tier-pair.ts';

/** The state at the beginning of a read of Redis. */
export interface ReadContext {
  readonly link: RedisLink;
  readonly ticket: ReadTicket;
  readonly tagTicket: ReadTicket;
  readonly askedAtMs: number;
  readonly deadline: OperationDeadline;
}

/** An entry with tags whose versions this process does not know. */
interface Doubtful {
  readonly place: number;
  readonly entry: CacheEntry;
  readonly tags: readonly string[];
}

export interface EntryCheckInput {
  readonly keys: readonly string[];
  /** The entries in memory under the same keys. They are not decoded again when Redis has the same write. */
  readonly held: readonly (CacheEntry | undefined)[] | undefined;
  readonly context: ReadContext;
  /** Called once for each valid entry. */
  readonly onEntry: (place: number, entry: CacheEntry) => void;
  /** Called instead for fresh values that exceed the capacity of memory, so that no entry is made of them. */
  readonly onValue?: ((place: number, value: unknown) => void) | undefined;
}

/** The check of one read. */
export interface CheckRun extends EntryCheckInput {
  /**
   * Entries for memory. Undefined where memory holds fewer entries than were requested, because these would only evict
   * each other.
   */
  readonly toKeep: (CacheEntry | undefined)[] | undefined;
  readonly doubtful: Doubtful[];
  readonly decoding: Promise<void>[];
  readonly rejected: string[];
}

/**
 * Finds the valid entries among the texts under some keys: decoded, not expired, and with the current version of every
 * tag. Texts are checked as they arrive, while Redis still works on others.
 *
 * One object checks all reads, each of which is a `CheckRun`. At a full garbage collection V8 drops the compiled code
 * of a class without objects, and compiling `take` again costs more than a bulk read.
 */
export class EntryCheck {
  readonly #pair: TierPair;
  /** Entries made together share their stamps, and so share one verdict in one turn. */
  #judgedTags: TagStamps | undefined;
  #verdict: TagVerdict = STALE;

  constructor(pair: TierPair) {
    this.#pair = pair;
  }

  begin({ keys, held, context, onEntry, onValue }: EntryCheckInput): CheckRun {
    const toKeep = keys.length <= this.#pair.options.memory.maxEntries ? [] : undefined;
    return { keys, held, context, onEntry, onValue, toKeep, doubtful: [], decoding: [], rejected: [] };
  }

  /** Checks the texts of the keys from the `first` one on. Anything but text is a miss. */
  take(run: CheckRun, first: number, texts: readonly unknown[]): void {
    const { held, onValue, toKeep } = run;
    const { clock, options } = this.#pair;
    const nowMs = clock.now();
    // Redis stores times of the wall clock; memory stores those of the clock of this process.
    const aheadMs = nowMs - wallClockNow();
    this.#judgedTags = undefined;
    for (let index = 0; index < texts.length; index += 1) {
      const text = texts[index];
      const place = first + index;
      const known = held?.[place];
      if (typeof text !== 'string' || text === '') {
        if (known !== undefined) this.#drop(run, place);
        continue;
      }
      if (known !== undefined && carriesId(text, known.id)) {
        this.#judge(run, place, known, nowMs);
        continue;
      }
      const head = isTooLarge(text, options) ? undefined : readHead(text);
      if (head === undefined) {
        this.#reject(run, place, text);
        continue;
      }
      const untilMs = freshUntilMs(head, aheadMs);
      const isPlain = toKeep === undefined && head.kind === 'json' && nowMs < untilMs;
      if (onValue !== undefined && isPlain && this.#verdictOn(run, head.tags, nowMs).kind === 'valid') {
        const value = decodeJson(text, head);
        if (value === undefined) this.#reject(run, place, text);
        else onValue(place, value);
        continue;
      }
      const entry = decodeEntry(text, head, untilMs, options);
      if (entry instanceof Promise) run.decoding.push(this.#takeLate(run, place, text, entry));
      else if (entry === undefined) this.#reject(run, place, text);
      else this.#judge(run, place, entry, nowMs);
    }
  }

  /** Decides on the doubtful entries, with versions from Redis where necessary, and stores the valid ones in memory. */
  async settle(run: CheckRun, known: TagVersions): Promise<void> {
    await Promise.all(run.decoding);
    this.#removeRejected(run);
    if (run.doubtful.length > 0) await this.#resolveDoubts(run, known);
    this.#keepAll(run);
  }

  /** Learns versions. A tag whose invalidation has not reached Redis counts as missing. */
  learn(run: CheckRun, versions: TagVersions): TagVersions {
    const { link, tagTicket, askedAtMs } = run.context;
    const believed = new Map<string, string | undefined>();
    for (const [tag, said] of versions) {
      const version = link.outage.distrustsTag(tag) ? undefined : said;
      believed.set(tag, version);
      this.#pair.tags.learn(tagTicket, tag, version, askedAtMs);
    }
    return believed;
  }

  async #takeLate(
    run: CheckRun,
    place: number,
    text: string,
    decoding: Promise<CacheEntry | undefined>,
  ): Promise<void> {
    const entry = await decoding;
    if (entry === undefined) {
      this.#reject(run, place, text);
      return;
    }
    this.#judgedTags = undefined;
    this.#judge(run, place, entry, this.#pair.clock.now());
  }

  #judge(run: CheckRun, place: number, entry: CacheEntry, nowMs: number): void {
    if (nowMs >= entry.staleUntilMs) return;
    const verdict = this.#verdictOn(run, entry.tags, nowMs);
    if (verdict.kind === 'valid') this.#accept(run, place, entry);
    else if (verdict.kind === 'unknown') run.doubtful.push({ place, entry, tags: verdict.tags });
  }

  #verdictOn(run: CheckRun, tags: TagStamps, nowMs: number): TagVerdict {
    if (tags === this.#judgedTags) return this.#verdict;
    this.#judgedTags = tags;
    const isDistrusted = run.context.link.outage.distrustsStamps(tags);
    this.#verdict = isDistrusted ? STALE : this.#pair.tags.judge(tags, nowMs);
    return this.#verdict;
  }

  #accept(run: CheckRun, place: number, entry: CacheEntry): void {
    run.onEntry(place, entry);
    if (run.toKeep !== undefined) run.toKeep[place] = entry;
  }

  async #resolveDoubts(run: CheckRun, known: TagVersions): Promise<void> {
    const unknown = new Set<string>();
    for (const { tags } of run.doubtful) {
      for (const tag of tags) if (!known.has(tag)) unknown.add(tag);
    }
    const versions = unknown.size === 0 ? known : await this.#ask(run, [...unknown], known);
    if (versions === undefined) return;
    for (const { place, entry, tags } of run.doubtful) {
      if (tags.every((tag) => versions.get(tag) === entry.tags[tag])) this.#accept(run, place, entry);
      else this.#drop(run, place);
    }
  }

  async #ask(run: CheckRun, tags: readonly string[], known: TagVersions): Promise<TagVersions | undefined> {
    const { link, deadline } = run.context;
    const asked = this.#pair.unwrap(await link.tier.versions(tags, deadline));
    if (asked === undefined) return undefined;
    return new Map([...known, ...this.learn(run, asked)]);
  }

  #drop(run: CheckRun, place: number): void {
    const key = run.keys[place];
    const { guard, memory } = this.#pair;
    if (key !== undefined && guard.isClean(run.context.ticket, key)) memory.delete(key);
  }

  /** Stores valid entries in memory, except keys that were removed since. */
  #keepAll({ keys, held, toKeep, context: { ticket, askedAtMs } }: CheckRun): void {
    const { guard, memory, clock } = this.#pair;
    const nowMs = clock.now();
    toKeep?.forEach((entry, place) => {
      const key = keys[place];
      if (entry === undefined || key === undefined || !guard.isClean(ticket, key)) return;
      const record = held?.[place] === entry ? memory.get(key) : undefined;
      if (record?.entry === entry) this.#pair.confirm(record, askedAtMs, nowMs);
      else this.#pair.remember(key, entry, askedAtMs, nowMs);
    });
  }

  #reject(run: CheckRun, place: number, text: string): void {
    const { link, deadline } = run.context;
    if (isTooLarge(text, this.#pair.options)) link.tier.becomeCareful(deadline);
    const key = run.keys[place];
    if (key === undefined) return;
    run.rejected.push(key);
    this.#pair.count('rejectedEntries', key);
    this.#pair.events.emit('entryRejected', { key });
  }

  #removeRejected(run: CheckRun): void {
    const { link } = run.context;
    const count = run.rejected.length;
    if (count > 0) void link.tier.remove(run.rejected, link.gateway.deadline(count));
  }
}

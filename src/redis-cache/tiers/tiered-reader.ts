import type { CacheEntry } from '../entries/cache-entry.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { TagVersions } from '../redis/redis-tier.ts';
import { EntryCheck, type ReadContext } from './entry-check.ts';
import type { MemoryRecord, TierPair } from './tier-pair.ts';

export interface ReadOptions {
  /** Rejects the read with its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Tells whether a stored value may be used. Another value, such as one of an older version, is a miss.
   * @defaultValue any value may be used
   */
  readonly isValid?: ((value: unknown) => boolean) | undefined;
}

/** An entry that is valid as far as this process knows: fresh, or stale within its grace period. */
export interface Found {
  readonly entry: CacheEntry;
  readonly tier: 'memory' | 'redis';
  readonly fresh: boolean;
}

/** Fresh values in the order of their keys, `undefined` where there is none, and the hits of each tier. */
export interface FoundValues {
  readonly values: readonly unknown[];
  readonly memoryHits: number;
  readonly redisHits: number;
}

/** The part of a bulk read that memory has answered. */
interface MemoryRead {
  readonly values: unknown[];
  /** The indexes of the keys that Redis is asked for. */
  readonly places: number[];
  /** The entries in memory under these keys that Redis has to confirm. */
  held: (CacheEntry | undefined)[] | undefined;
  hits: number;
}

const NO_VERSIONS: TagVersions = new Map();

/** Reads memory where it may be trusted, else Redis, with the versions of tags that this process does not know. */
export class TieredReader {
  readonly #pair: TierPair;
  readonly #check: EntryCheck;

  constructor(pair: TierPair) {
    this.#pair = pair;
    this.#check = new EntryCheck(pair);
  }

  /** Also finds an entry that is stale within its grace. */
  async read(key: string): Promise<Found | undefined> {
    const { memory, clock, tags } = this.#pair;
    const nowMs = clock.now();
    let record = memory.get(key);
    let unknown: readonly string[] = [];
    if (record !== undefined) {
      const verdict = this.#pair.judge(record, nowMs);
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
    const { link } = this.#pair;
    if (link === undefined) return undefined;
    return this.#asking(link, 1, (context) => this.#readOne(key, record, unknown, context));
  }

  /**
   * The fresh values of many keys in one round trip, two where tags are not known.
   */
  async readMany(keys: readonly string[]): Promise<FoundValues> {
    const { link } = this.#pair;
    const read = this.#readMemory(keys, link);
    const { values, places, held } = read;
    if (link === undefined || places.length === 0) return { values, memoryHits: read.hits, redisHits: 0 };
    // Copied, because the caller may change its list before Redis has answered.
    const asked = places.length === keys.length ? keys.slice() : places.map((place) => keys[place] as string);
    let redisHits = 0;
    await this.#asking(link, asked.length, async (context) => {
      const onValue = (index: number, value: unknown) => {
        values[places[index] ?? 0] = value;
        redisHits += 1;
      };
      const onEntry = (index: number, entry: CacheEntry) => {
        if (entry.failure === undefined && this.#pair.clock.now() < entry.freshUntilMs) onValue(index, entry.value);
      };
      const run = this.#check.begin({ keys: asked, held, context, onEntry, onValue });
      const take = (first: number, texts: readonly unknown[]) => this.#check.take(run, first, texts);
      const reply = await link.tier.readMany(asked, context.deadline, take);
      // The answers before a failure of Redis count; the other keys are misses.
      await (reply.ok ? this.#check.settle(run, NO_VERSIONS) : Promise.all(run.decoding));
      this.#pair.unwrap(reply);
      if (reply.ok) return;
      held?.forEach((entry, index) => {
        const [place, key] = [places[index], asked[index]];
        if (entry === undefined || place === undefined || key === undefined) return;
        const record = this.#pair.memory.get(key);
        if (values[place] === undefined && record?.entry === entry) this.#fallBack(read, place, key, record);
      });
    });
    return { values, memoryHits: read.hits, redisHits };
  }

  #readMemory(keys: readonly string[], link: RedisLink | undefined): MemoryRead {
    const { memory, clock } = this.#pair;
    const nowMs = clock.now();
    const distrusting = link !== undefined && link.outage.size > 0;
    // As long as the keys at first, because a bulk read mostly asks for all of them.
    const places = new Array<number>(keys.length);
    const read: MemoryRead = { values: new Array(keys.length).fill(undefined), places, held: undefined, hits: 0 };
    let asking = 0;
    for (let place = 0; place < keys.length; place += 1) {
      const key = keys[place] as string;
      const record = memory.get(key);
      const entry = record && this.#pair.validEntry(record, nowMs);
      if (entry !== undefined) {
        read.values[place] = entry.value;
        if (entry.failure === undefined) read.hits += 1;
      } else if (distrusting && link.outage.distrusts(key)) {
        this.#fallBack(read, place, key, record);
      } else if (link !== undefined) {
        if (record !== undefined) {
          read.held ??= new Array<CacheEntry | undefined>(keys.length).fill(undefined);
          read.held[asking] = record.entry;
        }
        places[asking] = place;
        asking += 1;
      }
    }
    places.length = asking;
    return read;
  }

  #fallBack(read: MemoryRead, place: number, key: string, record: MemoryRecord | undefined): void {
    const found = this.#lastResort(key, record);
    if (found?.fresh !== true || found.entry.failure !== undefined) return;
    read.values[place] = found.entry.value;
    read.hits += 1;
  }

  async #asking<Result>(
    link: RedisLink,
    keys: number,
    work: (context: ReadContext) => Promise<Result>,
  ): Promise<Result> {
    const { guard, tags, clock } = this.#pair;
    const deadline = link.gateway.deadline(keys);
    const context = { link, ticket: guard.begin(), tagTicket: tags.guard.begin(), askedAtMs: clock.now(), deadline };
    try {
      return await work(context);
    } finally {
      guard.end();
      tags.guard.end();
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
    const raw = this.#pair.unwrap(reply);
    if (raw === undefined) return this.#lastResort(key, record);
    if (raw.text === undefined) {
      // Redis refuses the scripts of this process, so its values are only in memory.
      if (link.gateway.refusals.has('EVAL')) return this.#lastResort(key, record);
      if (record !== undefined) this.#pair.memory.delete(key);
      return undefined;
    }
    return this.#checkOne(key, raw.text, raw.versions, context);
  }

  /** Checks an entry that came with another operation, such as a claim, as `read` would. */
  async accept(key: string, text: string, link: RedisLink): Promise<Found | undefined> {
    return this.#asking(link, 1, async (context) => {
      if (link.outage.distrusts(key)) return undefined;
      return this.#checkOne(key, text, NO_VERSIONS, context);
    });
  }

  async #checkOne(key: string, text: string, versions: TagVersions, context: ReadContext): Promise<Found | undefined> {
    const held = [this.#pair.memory.get(key)?.entry];
    let believed: CacheEntry | undefined;
    const onEntry = (_: number, entry: CacheEntry) => {
      believed = entry;
    };
    const run = this.#check.begin({ keys: [key], held, context, onEntry });
    const known = this.#check.learn(run, versions);
    this.#check.take(run, 0, [text]);
    await this.#check.settle(run, known);
    return believed && found(believed, 'redis', this.#pair.clock.now());
  }

  /** While Redis can't be asked, memory is trusted for `outageTrustMs`. */
  #lastResort(key: string, record: MemoryRecord | undefined): Found | undefined {
    const { clock, options, memory } = this.#pair;
    const nowMs = clock.now();
    if (record === undefined || memory.get(key) !== record) return undefined;
    const verdict = this.#pair.judge(record, nowMs, options.outageTrustMs);
    return verdict.kind === 'valid' ? found(record.entry, 'memory', nowMs) : undefined;
  }
}

const found = (entry: CacheEntry, tier: Found['tier'], nowMs: number): Found => ({
  entry,
  tier,
  fresh: nowMs < entry.freshUntilMs,
});

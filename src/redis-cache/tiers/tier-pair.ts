import { callSafely } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { Emitter } from '../../internal/emitter.ts';
import type { CacheEntry } from '../entries/cache-entry.ts';
import { namespaceOf } from '../entries/cache-input.ts';
import type { BusMessage } from '../redis/bus-message.ts';
import type { RedisReply } from '../redis/redis-gateway.ts';
import { RedisLink } from '../redis/redis-link.ts';
import { watchTroubles } from '../redis/redis-trouble.ts';
import { LocalTags } from '../tags/local-tags.ts';
import { RemovalGuard } from '../tags/removal-guard.ts';
import { CacheCounters } from './cache-counters.ts';
import type { RedisCacheEvents } from './cache-events.ts';
import type { CacheSettings } from './cache-settings.ts';

/** An entry in memory, with its last verification. */
export interface MemoryRecord {
  readonly entry: CacheEntry;
  /** End of the memory tier's own time to live. */
  keptUntilMs: number;
  /** When Redis last confirmed that this write is the current one. */
  verifiedAtMs: number;
  /** Fresh and trusted until then, as long as the epoch of the tags is `validEpoch`. */
  validUntilMs: number;
  validEpoch: number;
  /** Reads by `getOrSet`, counted where entries are refreshed ahead of their expiry. */
  reads: number;
  /** Whether the next `getOrSet` refreshes it. */
  isDue: boolean;
}

/** Whether a record of memory may be served. */
export type MemoryVerdict =
  | { readonly kind: 'valid' }
  /** Invalidated or expired. */
  | { readonly kind: 'gone' }
  /** Redis must be asked, at least about these tags. */
  | { readonly kind: 'unverified'; readonly tags: readonly string[] };

/** Most namespaces whose counts are kept. */
const MAX_NAMESPACES = 1_000;

const VALID: MemoryVerdict = { kind: 'valid' };
const GONE: MemoryVerdict = { kind: 'gone' };

/** The state that both tiers share: memory, tag versions, the link to Redis, and messages of other processes. */
export class TierPair {
  readonly options: CacheSettings;
  readonly clock: Clock;
  /** The records of this process, bounded by entries and by estimated bytes. */
  readonly memory: BoundedMap<string, MemoryRecord>;
  readonly tags: LocalTags;
  readonly guard = new RemovalGuard();
  /** Removals by this process, so that a write that began before one is not stored after it. */
  readonly removals = new RemovalGuard();
  /** Entries that left memory because of its bounds. */
  evictions = 0;
  readonly counters = new CacheCounters();
  /** The counts of each namespace, by its prefix. */
  readonly #namespaces = new BoundedMap<string, CacheCounters>(MAX_NAMESPACES);
  isClosed = false;
  readonly events = new Emitter<RedisCacheEvents>();
  /** The link to Redis, even where its driver is missing: for `health()`. */
  readonly namedLink: RedisLink | undefined;
  /** The link to Redis, unless none was named or its driver is missing. */
  link: RedisLink | undefined;
  #deafSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: CacheSettings) {
    const { target, clock, memory, tagTrustMs } = options;
    this.options = options;
    this.clock = clock;
    this.memory = new BoundedMap(memory.maxEntries, {
      maxWeight: memory.maxBytes,
      onEvicted: () => {
        this.evictions += 1;
      },
    });
    const trustMs = target === undefined ? Number.POSITIVE_INFINITY : tagTrustMs;
    this.tags = new LocalTags({ clock, trustMs });
    if (target === undefined) return;
    this.namedLink = new RedisLink(target, options);
    this.link = this.namedLink;
    this.#listen(this.namedLink);
  }

  /** Counts for the cache, and for the namespace of this key or tag. */
  count(counter: keyof CacheCounters, name: string, by = 1): void {
    this.counters[counter] += by;
    // NUL begins the names of namespaces only.
    if (name.charCodeAt(0) === 0) this.countersOf(namespaceOf(name))[counter] += by;
  }

  /** As `count`, which looks its counter up by name: most reads end here. */
  countMemoryHit(name: string): void {
    this.counters.memoryHits += 1;
    if (name.charCodeAt(0) === 0) this.countersOf(namespaceOf(name)).memoryHits += 1;
  }

  /** The counts of a namespace, or of the whole cache where the prefix is empty. */
  countersOf(prefix: string): CacheCounters {
    return prefix === '' ? this.counters : this.#namespaces.getOrCreate(prefix, () => new CacheCounters());
  }

  /** The fresh entry that memory may serve without a question to Redis. */
  peek(key: string, nowMs = this.clock.now()): CacheEntry | undefined {
    const record = this.memory.get(key);
    return record && this.validEntry(record, nowMs);
  }

  /** As `peek`, for a record at hand. */
  validEntry(record: MemoryRecord, nowMs: number): CacheEntry | undefined {
    if (nowMs < record.validUntilMs && record.validEpoch === this.tags.epoch) return record.entry;
    return this.judge(record, nowMs).kind === 'valid' && nowMs < record.entry.freshUntilMs ? record.entry : undefined;
  }

  /** Judges a record. `trustMs` replaces the usual trust while Redis can't be asked. */
  judge(record: MemoryRecord, nowMs: number, trustMs = this.options.tagTrustMs): MemoryVerdict {
    const { entry } = record;
    if (nowMs >= entry.staleUntilMs) return GONE;
    const tags = this.tags.judge(entry.tags, nowMs, trustMs);
    if (tags.kind === 'stale') return GONE;
    const keptUntilMs = this.#keptUntil(record, trustMs);
    if (this.link === undefined) {
      if (nowMs >= record.keptUntilMs) return GONE;
    } else if (tags.kind === 'unknown' || nowMs >= keptUntilMs) {
      return { kind: 'unverified', tags: tags.kind === 'unknown' ? tags.tags : [] };
    }
    // A record that was trusted longer during an outage has to be verified after it.
    if (trustMs !== this.options.tagTrustMs) return VALID;
    const tagsUntilMs = tags.kind === 'valid' ? tags.untilMs : Number.NEGATIVE_INFINITY;
    record.validUntilMs = Math.min(entry.freshUntilMs, record.keptUntilMs, keptUntilMs, tagsUntilMs);
    record.validEpoch = this.tags.epoch;
    return VALID;
  }

  /** Stores an entry in memory. `verifiedAtMs` is when Redis was asked about it. */
  remember(key: string, entry: CacheEntry, verifiedAtMs: number, nowMs: number): MemoryRecord {
    const { ttlMs, ttlAloneMs } = this.options.memory;
    const record: MemoryRecord = {
      entry,
      keptUntilMs: nowMs + (this.link === undefined ? ttlAloneMs : ttlMs),
      verifiedAtMs,
      validUntilMs: Number.NEGATIVE_INFINITY,
      validEpoch: -1,
      reads: 0,
      isDue: false,
    };
    this.memory.set(key, record, entry.bytes + key.length * 2);
    return record;
  }

  /** Records that Redis held the same write at `verifiedAtMs`. */
  confirm(record: MemoryRecord, verifiedAtMs: number, nowMs: number): void {
    record.verifiedAtMs = verifiedAtMs;
    record.keptUntilMs = nowMs + this.options.memory.ttlMs;
  }

  /** Drops keys, and keeps running reads from storing them again. */
  forgetKeys(keys: Iterable<string>): void {
    for (const key of keys) {
      this.memory.delete(key);
      this.guard.removed(key);
    }
  }

  /**
   * The value of a reply; undefined for a failed one.
   * @throws `DESCRIBE_CACHE` when strict, `DESCRIBE_CONFIG_INVALID` when ioredis is missing and Redis was named.
   */
  unwrap<Value>(reply: RedisReply<Value>): Value | undefined {
    if (reply.ok) return reply.value;
    const driverError = this.namedLink?.connection.driverError;
    if (driverError !== undefined) {
      if (this.options.onDriverMissing === 'memory-only') return undefined;
      throw driverError;
    }
    if (this.options.strict) throw reply.error;
    return undefined;
  }

  async close(): Promise<void> {
    await this.namedLink?.close();
    this.memory.clear();
    this.events.clear();
  }

  #keptUntil(record: MemoryRecord, trustMs: number): number {
    if (trustMs === this.options.tagTrustMs && record.verifiedAtMs <= this.#deafSinceMs)
      return Number.NEGATIVE_INFINITY;
    return Math.min(record.verifiedAtMs + trustMs, record.keptUntilMs);
  }

  #listen(link: RedisLink): void {
    link.events.on('announced', (message) => this.#hear(message));
    link.events.on('deaf', () => {
      this.#deafSinceMs = this.clock.now();
      this.tags.distrust();
    });
    link.events.on('replayed', ({ keys, tags }) => {
      this.forgetKeys(keys);
      if (tags.length > 0) this.tags.drop(tags);
    });
    const { logger, clock } = this.options;
    watchTroubles(link, clock, (trouble) => {
      if (trouble === undefined) {
        this.events.emit('redisRecovered', {});
        callSafely(() => logger?.info({}, 'Redis can be used again'), undefined);
        return;
      }
      const { reason } = trouble;
      this.events.emit('redisTroubled', { reason });
      callSafely(() => logger?.warn({ reason }, "the cache can't use Redis as it should"), undefined);
    });
    link.connection.events.on('changed', () => {
      if (link.connection.state !== 'driver-missing' || this.options.onDriverMissing !== 'memory-only') return;
      this.tags.becomeTruth();
      this.link = undefined;
    });
    link.connection.events.on('ready', () => this.events.emit('redisReady', {}));
    link.connection.events.on('lost', () => this.events.emit('redisLost', {}));
    link.gateway.events.on('failed', (failure) => this.events.emit('redisFailed', failure));
  }

  #hear({ action, names }: BusMessage): void {
    if (action === 'released') return;
    if (action === 'keys') this.forgetKeys(names);
    else this.tags.drop(names);
    const keys = action === 'keys' ? names : [];
    const tags = action === 'tags' ? names.filter((tag) => tag !== '') : [];
    this.events.emit('invalidated', { by: 'another-process', keys, tags });
  }
}

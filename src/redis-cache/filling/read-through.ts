import { ClosedError } from '../../errors/closed-error.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import type { FlightContext, FlightResult } from '../../internal/async/single-flight.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { CacheEntry } from '../entries/cache-entry.ts';
import {
  checkCallback,
  checkDurationMs,
  checkOptionNames,
  graceMsOf,
  type KeySpace,
  ttlMsOf,
} from '../entries/cache-input.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { MemoryRecord, TierPair } from '../tiers/tier-pair.ts';
import type { Found, TieredReader } from '../tiers/tiered-reader.ts';
import type { TieredWriter } from '../tiers/tiered-writer.ts';
import { entryValue, matches, type Wanted } from './entry-match.ts';
import type { CacheFactory } from './factory-context.ts';
import {
  type CacheHit,
  type CacheSource,
  GET_OR_SET_OPTION_NAMES,
  type GetOrSetOptions,
} from './get-or-set-options.ts';
import { InFlightWork } from './in-flight-work.ts';
import { type Produced, ValueProducer } from './produce-value.ts';
import { RefreshAhead } from './refresh-ahead.ts';
import type { ProduceRequest } from './store-produced.ts';

const BACKGROUND_TIMEOUT_MS = 120_000;
const MAX_FAILED_REFRESHES = 10_000;

/** `getOrSet`: reads, and on a miss lets one caller a key produce the value while the others wait. */
export class ReadThrough {
  readonly #pair: TierPair;
  readonly #reader: TieredReader;
  readonly #producer: ValueProducer;
  readonly #ahead: RefreshAhead | undefined;
  readonly #usual = new InFlightWork();
  /** Forced work is separate, because its callers want no older value. */
  readonly #forced = new InFlightWork();
  /** Times before which a stale write is not refreshed again. Memory itself may not hold that write. */
  readonly #refreshFailed = new BoundedMap<string, { readonly id: string; readonly untilMs: number }>(
    MAX_FAILED_REFRESHES,
  );
  /** The signal of refreshes that no caller waits for. It aborts when the cache is closed. */
  readonly #background = new AbortController();

  constructor(pair: TierPair, reader: TieredReader, writer: TieredWriter) {
    this.#pair = pair;
    this.#reader = reader;
    this.#producer = new ValueProducer(pair, reader, writer);
    this.#ahead = pair.options.refreshAheadRatio > 0 ? new RefreshAhead(pair.options) : undefined;
    pair.events.on('invalidated', ({ by, keys, tags }) => {
      if (by === 'another-process') this.supersede(keys, keys.length + tags.length === 0 ? [EVERY_ENTRY] : tags, false);
    });
    pair.namedLink?.events.on('replayed', ({ keys, tags }) => this.supersede(keys, tags));
  }

  /** Makes later callers start new work, and keeps the work on these keys or tags from being stored. */
  supersede(keys: readonly string[], tags: readonly string[], here = true): void {
    for (const key of this.#producer.open.supersede(keys, tags, here)) {
      this.#usual.forget(key);
      this.#forced.forget(key);
    }
  }

  /** Aborts refreshes that no caller waits for, and gives every lease back. Idempotent. */
  close(): void {
    this.#producer.close();
    this.#background.abort(new ClosedError('the cache'));
  }

  async getOrSet<Value>(
    space: KeySpace,
    ownKey: string,
    factory: CacheFactory<Value>,
    given: GetOrSetOptions,
  ): Promise<CacheHit<Value, CacheSource>> {
    if (this.#background.signal.aborted) throw new ClosedError('the cache');
    const key = space.key(ownKey);
    if (typeof factory !== 'function') checkCallback(factory, 'factory');
    const options = callOptions(given);
    const { signal, isValid, softTimeoutMs, hardTimeoutMs, negativeTtlSeconds, forceRefresh = false } = options;
    checkOptionNames(options, GET_OR_SET_OPTION_NAMES);
    signal?.throwIfAborted();
    if (softTimeoutMs !== undefined) checkDurationMs(softTimeoutMs, 'softTimeoutMs');
    if (hardTimeoutMs !== undefined) checkDurationMs(hardTimeoutMs, 'hardTimeoutMs');
    if (isValid !== undefined) checkCallback(isValid, 'isValid');
    const wanted: Wanted = { tags: space.entryTags(options.tags), isValid };
    let nowMs = this.#pair.clock.now();
    let found = forceRefresh ? undefined : this.#read(key, nowMs, signal);
    if (found instanceof Promise) {
      found = await found;
      nowMs = this.#pair.clock.now();
    }
    const stale = found !== undefined && isUsable(found, wanted) ? found : undefined;
    const isAhead = stale?.fresh === true;
    if (isAhead && (this.#ahead === undefined || !this.#isDue(key, this.#ahead, nowMs)))
      return this.#hit<Value>(key, stale);
    if (stale !== undefined && nowMs < this.#refreshNotBeforeMs(key, stale)) return this.#stale<Value>(key, stale);
    const { defaultTtlMs, graceMs } = this.#pair.options;
    const { ttlSeconds, graceSeconds } = options;
    const request: ProduceRequest = {
      key,
      factory,
      ...wanted,
      nameTags: space.nameTags,
      ttlMs: ttlSeconds === undefined ? defaultTtlMs : ttlMsOf(ttlSeconds, defaultTtlMs),
      graceMs: graceSeconds === undefined ? graceMs : graceMsOf(graceSeconds, graceMs),
      force: forceRefresh,
      hardTimeoutMs: hardTimeoutMs ?? (stale === undefined ? undefined : BACKGROUND_TIMEOUT_MS),
      negativeTtlSeconds,
      replaced: stale?.entry,
      isAhead,
      onShared: options.onShared,
    };
    if (isAhead) return this.#hit<Value>(key, this.#refreshAhead(request, stale, nowMs));
    if (stale !== undefined) return this.#refresh<Value>(request, stale, options, nowMs);
    this.#pair.count('misses', key);
    return this.#produced<Value>(key, await this.#share(request, signal, nowMs));
  }

  /** Returns at once where memory has a fresh entry, or where there is nothing else to read. */
  #read(key: string, nowMs: number, signal: AbortSignal | undefined): Found | undefined | Promise<Found | undefined> {
    const { memory, link } = this.#pair;
    const record = memory.get(key);
    const entry = record && this.#pair.validEntry(record, nowMs);
    if (entry !== undefined) return { entry, tier: 'memory', fresh: true };
    if (link === undefined && record === undefined) return undefined;
    const reading = this.#reader.read(key);
    return link === undefined ? reading : raceSignal(reading, signal);
  }

  /**
   * Joins the work on the key, or starts it. Work that is older than memory is trusted may miss an invalidation whose
   * message was lost. A caller then asks Redis, waits there for the same work, and takes its value only if the tags are
   * still current.
   */
  async #share(
    request: ProduceRequest,
    signal: AbortSignal | undefined,
    startedAtMs: number,
  ): Promise<FlightResult<Produced>> {
    const { key } = request;
    let { tags } = request;
    for (let nowMs = startedAtMs; ; nowMs = this.#pair.clock.now()) {
      const work = this.#workOn(request, nowMs);
      const other = work.wait(key, request.tags, signal);
      if (other === undefined) {
        const whole = tags === request.tags ? request : { ...request, tags };
        const produce = (context: FlightContext) => this.#producer.produce(whole, context, nowMs);
        return work.run({ key, tags, nowMs, signal, onShared: request.onShared }, produce);
      }
      tags = await other;
    }
  }

  #workOn({ key, force }: ProduceRequest, nowMs: number): InFlightWork {
    const { link, options } = this.#pair;
    if (link?.gateway.available) {
      for (const work of [this.#usual, this.#forced]) {
        if (nowMs >= (work.startedAtMs(key) ?? nowMs) + options.tagTrustMs) work.forget(key);
      }
    }
    // Forced work is newer than usual work, which later calls must not join.
    if (force) this.#usual.forget(key);
    return force || this.#forced.has(key) ? this.#forced : this.#usual;
  }

  /** Serves the stale value when the factory fails or takes longer than the caller waits. The factory then goes on. */
  async #refresh<Value>(
    request: ProduceRequest,
    stale: Found,
    { signal, softTimeoutMs }: GetOrSetOptions,
    nowMs: number,
  ): Promise<CacheHit<Value, CacheSource>> {
    const { clock } = this.#pair.options;
    const flight = this.#inBackground(request, stale, nowMs);
    const slow = new Promise<undefined>((resolve) => {
      if (softTimeoutMs === 0) resolve(undefined);
      if (softTimeoutMs === undefined || softTimeoutMs === 0) return;
      const timer = clock.setTimeout(() => resolve(undefined), softTimeoutMs);
      void flight.then(() => clock.clearTimeout(timer));
    });
    const outcome = await raceSignal(Promise.race([flight, slow]), signal);
    return outcome === undefined ? this.#stale<Value>(request.key, stale) : this.#produced<Value>(request.key, outcome);
  }

  /** Begins to make a value that no caller waits for, unless that just failed. Never rejects. */
  #inBackground(request: ProduceRequest, { entry }: Found, nowMs: number): Promise<FlightResult<Produced> | undefined> {
    // Without the caller's signal: the background work serves later callers.
    return this.#share(request, this.#background.signal, nowMs).catch(() => {
      const untilMs = this.#pair.clock.now() + this.#pair.options.refreshThrottleMs;
      this.#refreshFailed.set(request.key, { id: entry.id, untilMs });
      return undefined;
    });
  }

  /**
   * Whether a read of a fresh entry in memory is due to refresh it ahead of its expiry. Then the next `getOrSet` does.
   */
  marksDue(key: string, record: MemoryRecord, nowMs: number): boolean {
    if (this.#ahead === undefined || !this.#ahead.isDue(record, nowMs)) return false;
    const isBusy = this.#usual.has(key) || this.#forced.has(key);
    record.isDue = !isBusy && nowMs >= this.#refreshNotBeforeMs(key, record);
    return record.isDue;
  }

  #isDue(key: string, ahead: RefreshAhead, nowMs: number): boolean {
    const record = this.#pair.memory.get(key);
    if (record === undefined) return false;
    if (!record.isDue) return this.marksDue(key, record, nowMs);
    // Marked by an earlier read; another call may have refreshed it since.
    return !this.#usual.has(key) && ahead.hasBudget(nowMs);
  }

  /** Begins the refresh. Returns what it found, which the caller gets. */
  #refreshAhead(request: ProduceRequest, found: Found, nowMs: number): Found {
    const record = this.#pair.memory.get(request.key);
    if (record !== undefined) record.isDue = false;
    this.#ahead?.begin(nowMs);
    this.#pair.count('aheadRefreshes', request.key);
    void this.#inBackground({ ...request, onShared: undefined }, found, nowMs);
    return found;
  }

  #refreshNotBeforeMs(key: string, { entry }: { readonly entry: CacheEntry }): number {
    const failed = this.#refreshFailed.get(key);
    return failed?.id === entry.id ? failed.untilMs : Number.NEGATIVE_INFINITY;
  }

  #hit<Value>(key: string, { entry, tier }: Found): CacheHit<Value, CacheSource> {
    if (entry.failure !== undefined) this.#pair.count('negativeHits', key);
    else if (tier === 'memory') this.#pair.countMemoryHit(key);
    else this.#pair.count('redisHits', key);
    return { value: entryValue(entry) as Value, source: tier };
  }

  #stale<Value>(key: string, { entry }: Found): CacheHit<Value, CacheSource> {
    this.#pair.count('staleHits', key);
    return { value: entry.value as Value, source: 'stale' };
  }

  #produced<Value>(key: string, { value: made, shared }: FlightResult<Produced>): CacheHit<Value, CacheSource> {
    if (shared) this.#pair.count('sharedHits', key);
    return { value: made.value as Value, source: shared ? 'shared' : made.source };
  }
}

/** A remembered failure is never served stale. */
const isUsable = ({ entry, fresh }: Found, wanted: Wanted): boolean =>
  matches(entry, wanted) && (fresh || entry.failure === undefined);

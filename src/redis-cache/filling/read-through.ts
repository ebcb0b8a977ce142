import { ClosedError } from '../../errors/closed-error.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import type { FlightContext } from '../../internal/async/single-flight.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import {
  checkCallback,
  checkDurationMs,
  checkOptionNames,
  checkTags,
  graceMsOf,
  ttlMsOf,
} from '../entries/cache-input.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { Tiers } from '../tiers/tier-pair.ts';
import type { Found, TieredReader } from '../tiers/tiered-reader.ts';
import type { TieredWriter } from '../tiers/tiered-writer.ts';
import { type Asked, answers } from './entry-match.ts';
import { WorkLine } from './in-flight-work.ts';
import { type CacheFactory, type Filled, Filler, type FillRequest, filledBy } from './produce-value.ts';

/**
 * Where a value came from: made by this call, read from a tier, served stale, or `shared` with another call of this
 * process that was under way. What another process made meanwhile is `redis`.
 */
export type CacheSource = 'factory' | 'memory' | 'redis' | 'stale' | 'shared';

export interface CacheHit<Value, Source extends CacheSource> {
  readonly value: Value;
  readonly source: Source;
}

export interface GetOrSetOptions {
  /** Seconds the value lives, shortened by chance (`ttlJitterRatio`). @defaultValue the cache's `defaultTTL` */
  readonly ttlSeconds?: number | undefined;
  /** Names to invalidate it by. A stored entry without one of them is a miss. @defaultValue none */
  readonly tags?: readonly string[] | undefined;
  /** Takes this caller out; the work goes on while others wait for it. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether a stored value may be used: what fails it, as of another version or a stranger, is a miss.
   * @defaultValue any may
   */
  readonly isValid?: ((value: unknown) => boolean) | undefined;
  /** Makes the value anew whatever is stored. @defaultValue false */
  readonly forceRefresh?: boolean | undefined;
  /**
   * Seconds it may be served stale after its time, when its factory fails or is slow.
   * @defaultValue the cache's `graceSeconds`
   */
  readonly graceSeconds?: number | undefined;
  /**
   * Milliseconds after which a stale value is served while the factory goes on in the background; 0 never waits.
   * @defaultValue the stale value waits for the factory to fail
   */
  readonly softTimeoutMs?: number | undefined;
  /**
   * Milliseconds after which the factory is aborted and counts as failed.
   * @defaultValue none; 120000 for one that a stale value stands in for
   */
  readonly hardTimeoutMs?: number | undefined;
  /**
   * Seconds to remember this failure and answer with it, `undefined` for not at all. Only errors of this package are
   * remembered.
   * @defaultValue none is
   */
  readonly negativeTtlSeconds?: ((error: unknown) => number | undefined) | undefined;
}

const OPTION_NAMES: Record<keyof GetOrSetOptions, true> = {
  ttlSeconds: true,
  tags: true,
  signal: true,
  isValid: true,
  forceRefresh: true,
  graceSeconds: true,
  softTimeoutMs: true,
  hardTimeoutMs: true,
  negativeTtlSeconds: true,
};

const BACKGROUND_TIMEOUT_MS = 120_000;
const MAX_FAILED_REFRESHES = 10_000;

/** `getOrSet`: reads, and where nothing valid is there lets one caller a key fill while the others wait. */
export class Getter {
  readonly #tiers: Tiers;
  readonly #reader: TieredReader;
  readonly #filler: Filler;
  readonly #usual = new WorkLine();
  /** Work that was forced, apart: its followers want nothing older. */
  readonly #forced = new WorkLine();
  /**
   * Until when a stale write is not refreshed again. Beside memory, which may not hold it.
   */
  readonly #refreshFailed = new BoundedMap<string, { readonly id: string; readonly untilMs: number }>(
    MAX_FAILED_REFRESHES,
  );
  /** Waits in the background for refreshes whose callers need not, until the cache is closed. */
  readonly #background = new AbortController();

  constructor(tiers: Tiers, reader: TieredReader, writer: TieredWriter) {
    this.#tiers = tiers;
    this.#reader = reader;
    this.#filler = new Filler(tiers, reader, writer);
    tiers.events.on('invalidated', ({ by, keys, tags }) => {
      if (by === 'another-process') this.supersede(keys, keys.length + tags.length === 0 ? [EVERY_ENTRY] : tags, false);
    });
    tiers.namedLink?.events.on('replayed', ({ keys, tags }) => this.supersede(keys, tags));
  }

  /** Later callers start anew, and what is made for these keys or tags at the moment is not stored. */
  supersede(keys: readonly string[], tags: readonly string[], here = true): void {
    for (const key of this.#filler.supersede(keys, tags, here)) {
      this.#usual.forget(key);
      this.#forced.forget(key);
    }
  }

  /** Aborts refreshes that nobody else waits for, and gives every lease back. Idempotent. */
  close(): void {
    this.#filler.close();
    this.#background.abort(new ClosedError('the cache'));
  }

  async getOrSet<Value>(
    key: string,
    factory: CacheFactory<Value>,
    given: GetOrSetOptions,
  ): Promise<CacheHit<Value, CacheSource>> {
    const options = callOptions(given);
    checkOptionNames(options, OPTION_NAMES);
    const { signal, softTimeoutMs, negativeTtlSeconds, forceRefresh = false } = options;
    signal?.throwIfAborted();
    checkDurationMs(softTimeoutMs, 'softTimeoutMs');
    checkDurationMs(options.hardTimeoutMs, 'hardTimeoutMs');
    checkCallback(options.isValid, 'isValid');
    const asked: Asked = { tags: checkTags(options.tags), isValid: options.isValid };
    const stale = forceRefresh ? undefined : await this.#read(key, asked, signal);
    if (stale?.fresh) return this.#hit<Value>(stale);
    if (stale !== undefined && this.#tiers.nowMs < this.#refreshNotBeforeMs(key, stale))
      return this.#stale<Value>(stale);
    const request: FillRequest = {
      key,
      factory,
      ...asked,
      ttlMs: ttlMsOf(options.ttlSeconds, this.#tiers.options.defaultTtlMs),
      graceMs: graceMsOf(options.graceSeconds, this.#tiers.options.graceMs),
      force: forceRefresh,
      hardTimeoutMs: options.hardTimeoutMs ?? (stale === undefined ? undefined : BACKGROUND_TIMEOUT_MS),
      negativeTtlSeconds,
      hasStale: stale !== undefined,
    };
    if (stale !== undefined) return this.#refresh<Value>(request, stale, options);
    this.#tiers.counters.misses += 1;
    const { value, shared } = await this.#fly(request, signal);
    return this.#filled<Value>(value, shared);
  }

  async #read(key: string, asked: Asked, signal: AbortSignal | undefined): Promise<Found | undefined> {
    const entry = this.#tiers.peek(key);
    const found =
      entry === undefined ? await this.#readBoth(key, signal) : ({ entry, tier: 'memory', fresh: true } as const);
    if (found === undefined || !answers(found.entry, asked)) return undefined;
    return found.entry.failure !== undefined && !found.fresh ? undefined : found;
  }

  /** Without Redis the answer is there at once. */
  #readBoth(key: string, signal: AbortSignal | undefined): Promise<Found | undefined> {
    const reading = this.#reader.read(key);
    return this.#tiers.link === undefined ? reading : raceSignal(reading, signal);
  }

  /**
   * Follows the work on the key that is under way, or starts it. Work older than memory is trusted may miss an
   * invalidation whose message was lost: a caller then asks Redis instead, waits there for the same work, and takes its
   * value only if the tags still agree.
   */
  async #fly(
    request: FillRequest,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly value: Filled; readonly shared: boolean }> {
    const { key } = request;
    let { tags } = request;
    for (;;) {
      const { nowMs } = this.#tiers;
      const line = this.#lineFor(request, nowMs);
      const other = line.wait(key, request.tags, signal);
      if (other === undefined) {
        const fill = ({ signal: common }: FlightContext) => this.#filler.fill({ ...request, tags }, common);
        return line.run({ key, tags, nowMs, signal }, fill);
      }
      tags = await other;
    }
  }

  #lineFor({ key, force }: FillRequest, nowMs: number): WorkLine {
    const { link, options } = this.#tiers;
    if (link?.gateway.available) {
      for (const line of [this.#usual, this.#forced]) {
        if (nowMs >= (line.startedAtMs(key) ?? nowMs) + options.tagTrustMs) line.forget(key);
      }
    }
    // What was forced is newer than what is made the usual way: that is not followed any more.
    if (force) this.#usual.forget(key);
    return force || this.#forced.has(key) ? this.#forced : this.#usual;
  }

  /** Serves the stale value when the factory fails, or takes longer than the caller wants to wait; it then goes on. */
  async #refresh<Value>(
    request: FillRequest,
    stale: Found,
    { signal, softTimeoutMs }: GetOrSetOptions,
  ): Promise<CacheHit<Value, CacheSource>> {
    const { clock } = this.#tiers.options;
    // Without the caller's signal: what is under way in the background serves the callers to come.
    const flight = this.#fly(request, this.#background.signal).then(
      ({ value, shared }) => ({ value, shared }),
      () => {
        const untilMs = this.#tiers.nowMs + this.#tiers.options.refreshThrottleMs;
        this.#refreshFailed.set(request.key, { id: stale.entry.id, untilMs });
        return undefined;
      },
    );
    const slow = new Promise<undefined>((resolve) => {
      if (softTimeoutMs === 0) resolve(undefined);
      if (softTimeoutMs === undefined || softTimeoutMs === 0) return;
      const timer = clock.setTimeout(() => resolve(undefined), softTimeoutMs);
      void flight.then(() => clock.clearTimeout(timer));
    });
    const outcome = await raceSignal(Promise.race([flight, slow]), signal);
    return outcome === undefined ? this.#stale<Value>(stale) : this.#filled<Value>(outcome.value, outcome.shared);
  }

  #refreshNotBeforeMs(key: string, { entry }: Found): number {
    const failed = this.#refreshFailed.get(key);
    return failed?.id === entry.id ? failed.untilMs : Number.NEGATIVE_INFINITY;
  }

  #hit<Value>({ entry, tier }: Found): CacheHit<Value, CacheSource> {
    const { counters } = this.#tiers;
    if (entry.failure !== undefined) counters.negativeHits += 1;
    else if (tier === 'memory') counters.memoryHits += 1;
    else counters.redisHits += 1;
    return { value: filledBy(entry, tier).value as Value, source: tier };
  }

  #stale<Value>({ entry }: Found): CacheHit<Value, CacheSource> {
    this.#tiers.counters.staleHits += 1;
    return { value: entry.value as Value, source: 'stale' };
  }

  #filled<Value>({ value, source }: Filled, shared: boolean): CacheHit<Value, CacheSource> {
    if (shared) this.#tiers.counters.sharedHits += 1;
    return { value: value as Value, source: shared ? 'shared' : source };
  }
}

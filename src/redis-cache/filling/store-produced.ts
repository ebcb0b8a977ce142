import type { FlightOptions } from '../../internal/async/single-flight.ts';
import type { CacheEntry, StoredFailure } from '../entries/cache-entry.ts';
import { type EncodedEntry, encodeEntry } from '../entries/encode-entry.ts';
import { negativeTtlMs, storeFailure } from '../entries/negative-entry.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import type { RawWrite } from '../redis/redis-tier.ts';
import type { TierPair } from '../tiers/tier-pair.ts';
import type { Stamps, TieredWriter } from '../tiers/tiered-writer.ts';
import type { Wanted } from './entry-match.ts';
import type { CacheFactory, FactoryChoiceOptions, FactoryChoices } from './factory-context.ts';
import type { Lease } from './lease.ts';
import type { OpenWork } from './open-work.ts';

/** A value to produce, with every default filled in. */
export interface ProduceRequest extends Wanted, FactoryChoiceOptions {
  readonly key: string;
  readonly factory: CacheFactory<unknown>;
  readonly ttlMs: number;
  readonly graceMs: number;
  /** Makes a new value whatever is stored, and takes the lease from any process that holds it. */
  readonly force: boolean;
  readonly hardTimeoutMs: number | undefined;
  readonly negativeTtlSeconds: ((error: unknown) => number | undefined) | undefined;
  /** The entry that the value replaces. It stands in for a failure, which is then not remembered. */
  readonly replaced: CacheEntry | undefined;
  /** Whether `replaced` is fresh: then it is no answer, and another fresh entry is one. */
  readonly isAhead: boolean;
  readonly onShared: FlightOptions['onShared'];
}

/** The right to make a value: with a lease in Redis, or of this process alone. */
export interface Turn {
  readonly stamps: Stamps;
  readonly lease: Lease | undefined;
  readonly startedAtMs: number;
}

/** Stores what a factory made, unless the entry was invalidated meanwhile. */
export class ProducedStore {
  readonly #pair: TierPair;
  readonly #writer: TieredWriter;

  constructor(pair: TierPair, writer: TieredWriter) {
    this.#pair = pair;
    this.#writer = writer;
  }

  /** Stores what stands for a failed factory, for as long as the options say. */
  async failure(request: ProduceRequest, turn: Turn, work: OpenWork, error: unknown): Promise<void> {
    const ttlMs = request.replaced !== undefined ? undefined : negativeTtlMs(request.negativeTtlSeconds, error);
    const failure = ttlMs === undefined ? undefined : storeFailure(error);
    if (ttlMs === undefined || failure === undefined) return;
    const { link } = this.#pair;
    // A failure may live longer than the value, and the tags were kept only for the value's life.
    if (turn.lease) void link?.tier.stamp(Object.keys(turn.stamps.tags), ttlMs * 2, link.gateway.deadline());
    await this.entry({ ...request, ttlMs, graceMs: 0 }, turn, work, { failure });
  }

  /** Stores a value with the time to live and the tags that its factory chose. */
  async chosen(
    request: ProduceRequest,
    turn: Turn,
    work: OpenWork,
    { ttlMs, addedTags }: FactoryChoices,
    value: unknown,
  ): Promise<EncodedEntry | undefined> {
    const keepMs = ttlMs + request.graceMs;
    let { stamps } = turn;
    if (addedTags.length > 0) {
      const added = await this.#writer.stamp(addedTags, keepMs);
      stamps = { tags: { ...added.tags, ...stamps.tags }, shared: stamps.shared && added.shared };
    }
    const { link } = this.#pair;
    // The tags were kept only for the life that the options gave the value.
    if (turn.lease && ttlMs > request.ttlMs) {
      void link?.tier.stamp(Object.keys(stamps.tags), keepMs * 2, link.gateway.deadline());
    }
    return this.entry({ ...request, ttlMs }, { ...turn, stamps }, work, { value });
  }

  /** Stores in both tiers unless an invalidation, or another process, came first. A write ends the lease, too. */
  async entry(
    request: ProduceRequest,
    { lease, stamps, startedAtMs }: Turn,
    work: OpenWork,
    content: { readonly value?: unknown; readonly failure?: StoredFailure },
  ): Promise<EncodedEntry | undefined> {
    const { key, graceMs } = request;
    const { options, clock } = this.#pair;
    const nowMs = clock.now();
    const ttlMs = Math.max(1, Math.round(request.ttlMs * (1 - options.random() * options.ttlJitterRatio)));
    let encoded: EncodedEntry;
    try {
      const { value, failure } = content;
      const whole = { value, failure, tags: stamps.tags, ttlMs, graceMs, costMs: nowMs - startedAtMs };
      const encoding = encodeEntry(whole, options, nowMs);
      encoded = encoding instanceof Promise ? await encoding : encoding;
    } catch (error) {
      this.#pair.count('unstorableValues', key);
      this.#pair.events.emit('storeFailed', { key, error });
      return undefined;
    }
    if (this.#pair.isClosed) return encoded;
    this.#pair.count('writes', key);
    const { link } = this.#pair;
    const write = { key, text: encoded.text, keepMs: ttlMs + graceMs };
    const written = link && (await this.#writeRedis(write, request.force, { lease, stamps }, work, link));
    // Redis refused because a removal, a newer value or another process took the lease. That value counts.
    if (!work.superseded && written !== false && (written === true || !work.doubted)) {
      this.#pair.remember(key, encoded.entry, written === true ? nowMs : startedAtMs, nowMs);
    }
    if (written !== undefined) await lease?.end({ give: false });
    return encoded;
  }

  /** Whether Redis took the entry; undefined where it was not asked or did not answer. */
  async #writeRedis(
    write: RawWrite,
    force: boolean,
    { lease, stamps }: Pick<Turn, 'lease' | 'stamps'>,
    work: OpenWork,
    link: RedisLink,
  ): Promise<boolean | undefined> {
    // Reads that began before this write may bring back an older entry.
    this.#pair.guard.removed(write.key);
    let written: boolean | undefined;
    if (lease !== undefined && stamps.shared && !work.superseded) {
      const reply = await link.tier.fill(write, lease.token, link.gateway.deadline());
      written = reply.ok ? reply.value : undefined;
    }
    if (written !== true) this.#pair.count('droppedWrites', write.key);
    if (force && written === undefined && !work.superseded) link.outdate([write.key]);
    return written;
  }
}

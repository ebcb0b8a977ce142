import { TimeoutError } from '../../errors/timeout-error.ts';
import { childController, raceSignal } from '../../internal/async/signals.ts';
import type { FlightContext, FlightOptions } from '../../internal/async/single-flight.ts';
import type { CacheEntry, StoredFailure } from '../entries/cache-entry.ts';
import { type EncodedEntry, encodeEntry } from '../entries/encode-entry.ts';
import { negativeTtlMs, storeFailure } from '../entries/negative-entry.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { RawWrite } from '../redis/redis-tier.ts';
import type { TierPair } from '../tiers/tier-pair.ts';
import type { TieredReader } from '../tiers/tiered-reader.ts';
import type { Stamps, TieredWriter } from '../tiers/tiered-writer.ts';
import { entryValue, matches, type Wanted, withTagsOf } from './entry-match.ts';
import { type CacheFactory, type FactoryChoiceOptions, FactoryChoices } from './factory-context.ts';
import { Lease, newLeaseToken } from './lease.ts';
import { addTags, type OpenWork, OpenWorks } from './open-work.ts';
import { RemoteWork } from './remote-work.ts';

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

export interface Produced {
  readonly value: unknown;
  readonly source: 'factory' | 'memory' | 'redis';
}

/** The right to make a value: with a lease in Redis, or of this process alone. */
interface Turn {
  readonly stamps: Stamps;
  readonly lease: Lease | undefined;
  readonly startedAtMs: number;
}

const FIRST_POLL_MS = 50;
const MAX_POLL_MS = 1_000;

/** Produces missing values once across processes: the holder of the lease works, and the others wait for its value. */
export class ValueProducer {
  readonly #pair: TierPair;
  readonly #reader: TieredReader;
  readonly #writer: TieredWriter;
  readonly #remote: RemoteWork;
  /** The work that runs. */
  readonly open = new OpenWorks();
  #closed = false;

  constructor(pair: TierPair, reader: TieredReader, writer: TieredWriter) {
    this.#pair = pair;
    this.#reader = reader;
    this.#writer = writer;
    this.#remote = new RemoteWork(pair.options.clock);
    pair.namedLink?.events.on('announced', ({ action, names }) => {
      if (action !== 'tags') this.#remote.wake(names);
    });
    pair.namedLink?.events.on('deaf', () => this.open.missedMessages());
  }

  async produce(request: ProduceRequest, context: FlightContext, nowMs: number): Promise<Produced> {
    const { key, tags, force } = request;
    if (force) this.open.supersedeKey(key);
    const work = this.open.begin(key, tags, this.#pair.link?.connection.subscribed === true);
    try {
      const turn = await this.#takeTurn(request, work, context.signal, nowMs);
      if ('value' in turn) return turn;
      work.tags = Object.keys(turn.stamps.tags);
      return await this.#make(request, turn, work, context);
    } finally {
      this.open.end(work);
    }
  }

  /** Gives leases back and stores no more. Callers of this process still get the values in the making. */
  close(): void {
    this.#closed = true;
    this.open.endLeases();
    this.#remote.wakeAll();
  }

  /** Waits for the right to work, or for another process's value. */
  async #takeTurn(
    request: ProduceRequest,
    work: OpenWork,
    signal: AbortSignal,
    startedAtMs: number,
  ): Promise<Turn | Produced> {
    const { clock, followerWaitMs } = this.#pair.options;
    let nowMs = startedAtMs;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
      // An earlier removal was about the value of another process. The value made from now on may be stored.
      work.superseded = false;
      work.doubted = false;
      const entry = request.force ? undefined : this.#pair.peek(request.key, nowMs);
      if (entry !== undefined && answers(entry, request)) return { value: entryValue(entry), source: 'memory' };
      const { link } = this.#pair;
      if (link === undefined || this.#closed) {
        const { stamps, ...turn } = this.#ownTurn(request, nowMs);
        return { ...turn, stamps: entry === undefined ? stamps : withTagsOf(entry, stamps) };
      }
      const turn = await this.#claim(request, link, nowMs);
      if (turn !== undefined) return turn;
      nowMs = clock.now();
      if (this.#closed) continue;
      const leftMs = startedAtMs + followerWaitMs - nowMs;
      if (leftMs <= 0) return this.#ownTurn(request, nowMs);
      await this.#remote.wait(request.key, Math.min(pollMs, leftMs), signal);
      nowMs = clock.now();
    }
  }

  #ownTurn({ tags }: ProduceRequest, nowMs: number): Turn {
    const stamps = { tags: this.#pair.tags.own(tags, nowMs), shared: false };
    return { stamps, lease: undefined, startedAtMs: nowMs };
  }

  /** Undefined while another process has the lease. */
  async #claim(request: ProduceRequest, link: RedisLink, startedAtMs: number): Promise<Turn | Produced | undefined> {
    const { key, tags, force, ttlMs, graceMs } = request;
    const { options } = this.#pair;
    const token = newLeaseToken();
    const all = [...new Set([...tags, EVERY_ENTRY])];
    const keepMs = (ttlMs + graceMs) * 2;
    const ticket = this.#pair.tags.guard.begin();
    let lease: Lease | undefined;
    const giveBack = async () => lease?.end({ give: true });
    try {
      const claim = { token, leaseMs: options.leaseMs, force, tags: all, keepMs };
      const reply = await link.tier.claim(key, claim, link.gateway.deadline(all.length + 1));
      const raw = this.#pair.unwrap(reply);
      if (raw === undefined) return this.#ownTurn(request, startedAtMs);
      const stamps = this.#writer.adopt(tags, raw.versions, { ticket, askedAtMs: startedAtMs, keepMs });
      if (raw.owned) lease = new Lease(link, key, token, options);
      const found = force || raw.text === undefined ? undefined : await this.#reader.accept(key, raw.text, link);
      if (found?.fresh && answers(found.entry, request)) {
        await giveBack();
        return { value: entryValue(found.entry), source: 'redis' };
      }
      if (this.#closed) {
        await giveBack();
        return undefined;
      }
      const merged = found === undefined ? stamps : withTagsOf(found.entry, stamps);
      // Redis kept the tags of the found entry only for the life of that entry. The new one may live longer.
      if (lease && merged !== stamps) void link.tier.stamp(Object.keys(merged.tags), keepMs, link.gateway.deadline());
      return lease || raw.owned === undefined ? { stamps: merged, lease, startedAtMs } : undefined;
    } catch (error) {
      await giveBack();
      throw error;
    } finally {
      this.#pair.tags.guard.end();
    }
  }

  async #make(request: ProduceRequest, turn: Turn, work: OpenWork, context: FlightContext): Promise<Produced> {
    const { signal } = context;
    let value: unknown;
    work.lease = turn.lease;
    try {
      // All callers may have left while Redis was asked.
      signal.throwIfAborted();
      this.#pair.count('factoryCalls', request.key);
      const onTags = (added: readonly string[]) => addTags(work, added);
      const choices = new FactoryChoices(request, onTags);
      value = await this.#callFactory(request, context, choices);
      if (value === undefined) return { value, source: 'factory' };
      const stored = choices.differs
        ? await this.#storeChosen(request, turn, work, choices, value)
        : await this.#store(request, turn, work, { value });
      return { value: stored === undefined ? value : stored.entry.value, source: 'factory' };
    } catch (error) {
      if (!signal.aborted) {
        this.#pair.count('factoryFailures', request.key);
        await this.#storeFailure(request, turn, work, error);
      }
      throw error;
    } finally {
      if (turn.lease !== undefined) await turn.lease.end({ give: true });
    }
  }

  /** Waits no longer than the signal: a factory that ignores its signal must not keep the key from the next caller. */
  #callFactory(request: ProduceRequest, { signal, share }: FlightContext, choices: FactoryChoices): Promise<unknown> {
    const { factory, hardTimeoutMs, replaced, isAhead } = request;
    const ageMs = replaced && this.#pair.clock.now() - replaced.freshUntilMs + replaced.ttlMs;
    const stale = ageMs === undefined ? undefined : { value: replaced?.value, ageMs };
    const call = async (context: FlightContext) => await factory(choices.contextOf(context, stale, isAhead));
    if (hardTimeoutMs === undefined) return raceSignal(call({ signal, share }), signal);
    const { clock } = this.#pair.options;
    const child = childController(signal);
    const timer = clock.setTimeout(
      () => child.abort(new TimeoutError('a cache factory', hardTimeoutMs)),
      hardTimeoutMs,
    );
    return raceSignal(call({ signal: child.signal, share }), child.signal).finally(() => {
      clock.clearTimeout(timer);
      child.detach();
    });
  }

  async #storeFailure(request: ProduceRequest, turn: Turn, work: OpenWork, error: unknown): Promise<void> {
    const ttlMs = request.replaced !== undefined ? undefined : negativeTtlMs(request.negativeTtlSeconds, error);
    const failure = ttlMs === undefined ? undefined : storeFailure(error);
    if (ttlMs === undefined || failure === undefined) return;
    const { link } = this.#pair;
    // A failure may live longer than the value, and the tags were kept only for the value's life.
    if (turn.lease) void link?.tier.stamp(Object.keys(turn.stamps.tags), ttlMs * 2, link.gateway.deadline());
    await this.#store({ ...request, ttlMs, graceMs: 0 }, turn, work, { failure });
  }

  async #storeChosen(
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
    return this.#store({ ...request, ttlMs }, { ...turn, stamps }, work, { value });
  }

  /** Stores in both tiers unless an invalidation, or another process, came first. A write ends the lease, too. */
  async #store(
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
      const whole = { ...content, tags: stamps.tags, ttlMs, graceMs, costMs: nowMs - startedAtMs };
      encoded = await encodeEntry(whole, options, nowMs);
    } catch (error) {
      this.#pair.count('unstorableValues', key);
      this.#pair.events.emit('storeFailed', { key, error });
      return undefined;
    }
    if (this.#closed) return encoded;
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

/** Whether an entry saves the work. */
const answers = (entry: CacheEntry, request: ProduceRequest): boolean =>
  matches(entry, request) && !(request.isAhead && entry.id === request.replaced?.id);

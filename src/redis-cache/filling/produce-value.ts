import { TimeoutError } from '../../errors/timeout-error.ts';
import { childController, raceSignal } from '../../internal/async/signals.ts';
import type { FlightContext } from '../../internal/async/single-flight.ts';
import type { CacheEntry, StoredFailure } from '../entries/cache-entry.ts';
import { type EncodedEntry, encodeEntry } from '../entries/envelope.ts';
import { negativeTtlMs, reviveFailure, storeFailure } from '../entries/negative-entry.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { Tiers } from '../tiers/tier-pair.ts';
import type { TieredReader } from '../tiers/tiered-reader.ts';
import type { Stamps, TieredWriter } from '../tiers/tiered-writer.ts';
import { type Asked, answers, withTagsOf } from './entry-match.ts';
import { Lease, newLeaseToken } from './lease.ts';
import { RemoteWork } from './remote-work.ts';

/** Makes the value of a key. `signal` aborts when every caller left, or the hard timeout passed. */
export type CacheFactory<Value> = (context: FlightContext) => Value | PromiseLike<Value>;

/** One key to fill, with every default filled in. */
export interface FillRequest extends Asked {
  readonly key: string;
  readonly factory: CacheFactory<unknown>;
  readonly ttlMs: number;
  readonly graceMs: number;
  /** Makes the value anew whatever is stored, and takes the work from whoever does it. */
  readonly force: boolean;
  readonly hardTimeoutMs: number | undefined;
  readonly negativeTtlSeconds: ((error: unknown) => number | undefined) | undefined;
  /** Something stale is there to fall back to: a failure is not remembered over it. */
  readonly hasStale: boolean;
}

export interface Filled {
  readonly value: unknown;
  readonly source: 'factory' | 'memory' | 'redis';
}

/** The right to make a value: with a lease in Redis, or of this process alone. */
interface Turn {
  readonly stamps: Stamps;
  readonly lease: Lease | undefined;
  readonly startedAtMs: number;
}

/** Work that is under way, so that an invalidation finds it. */
interface OpenWork {
  readonly key: string;
  tags: readonly string[];
  /** A removal of this process, or work that was forced, began after the work did. */
  superseded: boolean;
  lease: Lease | undefined;
  /** The same on another process: Redis knows whether it was before or after, by the lease and the tags. */
  doubted: boolean;
}

const FIRST_POLL_MS = 50;
const MAX_POLL_MS = 1_000;

/**
 * Makes values that are missing, once across processes: who has the lease works, the others wait for what it writes.
 */
export class Filler {
  readonly #tiers: Tiers;
  readonly #reader: TieredReader;
  readonly #writer: TieredWriter;
  readonly #remote: RemoteWork;
  readonly #open = new Set<OpenWork>();
  #closed = false;

  constructor(tiers: Tiers, reader: TieredReader, writer: TieredWriter) {
    this.#tiers = tiers;
    this.#reader = reader;
    this.#writer = writer;
    this.#remote = new RemoteWork(tiers.options.clock);
    tiers.namedLink?.events.on('told', ({ action, names }) => {
      if (action !== 'tags') this.#remote.wake(names);
    });
  }

  /** Keys and tags of work that these keys or tags concern; what it makes will not be stored. */
  supersede(keys: readonly string[], tags: readonly string[], here: boolean): readonly string[] {
    const concerned: string[] = [];
    for (const work of this.#open) {
      if (!keys.includes(work.key) && !tags.includes(EVERY_ENTRY) && !work.tags.some((tag) => tags.includes(tag))) {
        continue;
      }
      if (here) work.superseded = true;
      else work.doubted = true;
      concerned.push(work.key);
    }
    return concerned;
  }

  async fill(request: FillRequest, signal: AbortSignal): Promise<Filled> {
    const { key, tags, force } = request;
    if (force) for (const older of this.#open) if (older.key === key) older.superseded = true;
    const work: OpenWork = { key, tags, superseded: false, doubted: false, lease: undefined };
    this.#open.add(work);
    try {
      const turn = await this.#takeTurn(request, work, signal);
      if ('value' in turn) return turn;
      work.tags = Object.keys(turn.stamps.tags);
      return await this.#make(request, turn, work, signal);
    } finally {
      this.#open.delete(work);
    }
  }

  /** Gives leases back and stores no more: whoever waits in this process still gets what is made for it. */
  close(): void {
    this.#closed = true;
    for (const { lease } of this.#open) void lease?.end({ give: true });
    this.#remote.wakeAll();
  }

  /** Waits for the right to work, or for another process's value. */
  async #takeTurn(request: FillRequest, work: OpenWork, signal: AbortSignal): Promise<Turn | Filled> {
    const { clock, followerWaitMs } = this.#tiers.options;
    const giveUpAtMs = clock.now() + followerWaitMs;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
      // A removal from before this try concerns what others made: what is made after it may be stored.
      work.superseded = false;
      work.doubted = false;
      const entry = request.force ? undefined : this.#tiers.peek(request.key);
      if (entry !== undefined && answers(entry, request)) return filledBy(entry, 'memory');
      const { link } = this.#tiers;
      const startedAtMs = clock.now();
      if (link === undefined || this.#closed) {
        const stamps = withTagsOf(entry, this.#writer.ownStamps(request.tags));
        return { stamps, lease: undefined, startedAtMs };
      }
      const turn = await this.#claim(request, link, startedAtMs);
      if (turn !== undefined) return turn;
      if (this.#closed) continue;
      const leftMs = giveUpAtMs - clock.now();
      if (leftMs <= 0) return { stamps: this.#writer.ownStamps(request.tags), lease: undefined, startedAtMs };
      await this.#remote.wait(request.key, Math.min(pollMs, leftMs), signal);
    }
  }

  /** Undefined while another process has the lease. */
  async #claim(request: FillRequest, link: RedisLink, startedAtMs: number): Promise<Turn | Filled | undefined> {
    const { key, tags, force, ttlMs, graceMs } = request;
    const { options } = this.#tiers;
    const token = newLeaseToken();
    const all = [...new Set([...tags, EVERY_ENTRY])];
    const keepMs = (ttlMs + graceMs) * 2;
    const ticket = this.#tiers.tags.begin();
    try {
      const claim = { token, leaseMs: options.leaseMs, force, tags: all, keepMs };
      const reply = await link.tier.claim(key, claim, link.gateway.deadline(all.length + 1));
      const raw = this.#tiers.unwrap(reply);
      if (raw === undefined) return { stamps: this.#writer.ownStamps(tags), lease: undefined, startedAtMs };
      const stamps = this.#writer.adopt(tags, raw.versions, { ticket, askedAtMs: startedAtMs, keepMs });
      const lease = raw.owned ? new Lease(link, key, token, options) : undefined;
      let replaced: CacheEntry | undefined;
      if (!force && raw.text !== undefined) {
        const found = await this.#reader.accept(key, raw.text, link).catch(async (error: unknown) => {
          await lease?.end({ give: true });
          throw error;
        });
        if (found?.fresh && answers(found.entry, request)) {
          await lease?.end({ give: true });
          return filledBy(found.entry, 'redis');
        }
        replaced = found?.entry;
      }
      if (!this.#closed) {
        const all = withTagsOf(replaced, stamps);
        // Redis keeps what was only kept for the entry that it was on, and this one may live longer.
        if (lease && all !== stamps) void link.tier.stamp(Object.keys(all.tags), keepMs, link.gateway.deadline());
        return lease || raw.owned === undefined ? { stamps: all, lease, startedAtMs } : undefined;
      }
      await lease?.end({ give: true });
      return undefined;
    } finally {
      this.#tiers.tags.end();
    }
  }

  async #make(request: FillRequest, turn: Turn, work: OpenWork, signal: AbortSignal): Promise<Filled> {
    const { counters } = this.#tiers;
    let value: unknown;
    work.lease = turn.lease;
    try {
      // All may have left while Redis was asked.
      signal.throwIfAborted();
      counters.factoryCalls += 1;
      value = await this.#callFactory(request, signal);
    } catch (error) {
      if (signal.aborted) {
        await turn.lease?.end({ give: true });
        throw error;
      }
      counters.factoryFailures += 1;
      await this.#storeFailure(request, turn, work, error);
      throw error;
    }
    if (value === undefined) {
      await turn.lease?.end({ give: true });
      return { value, source: 'factory' };
    }
    const stored = await this.#store(request, turn, work, { value });
    return { value: stored === undefined ? value : stored.entry.value, source: 'factory' };
  }

  /** Waits no longer than its signal: a factory that goes on in spite of it must not keep the key from the next one. */
  async #callFactory({ factory, hardTimeoutMs }: FillRequest, signal: AbortSignal): Promise<unknown> {
    const call = async (context: FlightContext) => factory(context);
    if (hardTimeoutMs === undefined) return raceSignal(call({ signal }), signal);
    const { clock } = this.#tiers.options;
    const child = childController(signal);
    const timer = clock.setTimeout(
      () => child.abort(new TimeoutError('a cache factory', hardTimeoutMs)),
      hardTimeoutMs,
    );
    try {
      return await raceSignal(call({ signal: child.signal }), child.signal);
    } finally {
      clock.clearTimeout(timer);
      child.detach();
    }
  }

  async #storeFailure(request: FillRequest, turn: Turn, work: OpenWork, error: unknown): Promise<void> {
    const ttlMs = request.hasStale ? undefined : negativeTtlMs(request.negativeTtlSeconds, error);
    const failure = ttlMs === undefined ? undefined : storeFailure(error);
    if (ttlMs === undefined || failure === undefined) {
      await turn.lease?.end({ give: true });
      return;
    }
    const { link } = this.#tiers;
    // It may live longer than the value, for whose time its tags were kept.
    if (turn.lease) void link?.tier.stamp(Object.keys(turn.stamps.tags), ttlMs * 2, link.gateway.deadline());
    await this.#store({ ...request, ttlMs, graceMs: 0 }, turn, work, { failure });
  }

  /** Stores in both tiers unless an invalidation, or another process, came between. */
  async #store(
    { key, ttlMs, graceMs, force }: FillRequest,
    { lease, stamps, startedAtMs }: Turn,
    work: OpenWork,
    content: { readonly value?: unknown; readonly failure?: StoredFailure },
  ): Promise<EncodedEntry | undefined> {
    const { options, counters, nowMs } = this.#tiers;
    const lifeMs = Math.max(1, Math.round(ttlMs * (1 - Math.random() * options.ttlJitterRatio)));
    const { value, failure } = content;
    const costMs = nowMs - startedAtMs;
    let encoded: EncodedEntry;
    try {
      const envelope = { value, failure, tags: stamps.tags, ttlMs: lifeMs, graceMs, costMs };
      encoded = await encodeEntry(envelope, options, nowMs);
    } catch (error) {
      counters.unstorableValues += 1;
      this.#tiers.events.emit('storeFailed', { key, error });
      await lease?.end({ give: true });
      return undefined;
    }
    if (this.#closed) {
      await lease?.end({ give: true });
      return encoded;
    }
    counters.writes += 1;
    const { link } = this.#tiers;
    const askedAtMs = this.#tiers.nowMs;
    // What reads that began before this write bring back is older.
    this.#tiers.guard.removed(key);
    let written: boolean | undefined;
    if (link !== undefined && lease !== undefined && stamps.shared && !work.superseded) {
      const write = { key, text: encoded.text, keepMs: lifeMs + graceMs };
      const reply = await link.tier.fill(write, lease.token, link.gateway.deadline());
      written = reply.ok ? reply.value : undefined;
    }
    if (link !== undefined && written !== true) counters.droppedWrites += 1;
    if (force && written === undefined && !work.superseded) link?.outdate([key]);
    // Refused: the lease was lost to a removal, a newer value or another process, whose word counts.
    if (!work.superseded && written !== false && (written === true || !work.doubted)) {
      this.#tiers.remember(key, encoded.entry, written === true ? askedAtMs : startedAtMs);
    }
    await lease?.end({ give: written === undefined });
    return encoded;
  }
}

/** The value of an entry. @throws the failure that is remembered instead. */
export function filledBy(entry: CacheEntry, source: Filled['source']): Filled {
  if (entry.failure !== undefined) throw reviveFailure(entry.failure);
  return { value: entry.value, source };
}

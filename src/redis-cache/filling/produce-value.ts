import { InputError } from '../../errors/input-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { childController, raceSignal } from '../../internal/async/signals.ts';
import type { FlightContext } from '../../internal/async/single-flight.ts';
import type { CacheEntry } from '../entries/cache-entry.ts';
import { checkTags, givenTtlMs, MAX_TAGS, mergeTags } from '../entries/cache-input.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { TierPair } from '../tiers/tier-pair.ts';
import type { TieredReader } from '../tiers/tiered-reader.ts';
import type { TieredWriter } from '../tiers/tiered-writer.ts';
import { entryValue, matches, withTagsOf } from './entry-match.ts';
import type { CacheFactory, CacheFactoryContext, FactoryChoiceOptions, FactoryChoices } from './factory-context.ts';
import { Lease, newLeaseToken } from './lease.ts';
import { addTags, type OpenWork, OpenWorks } from './open-work.ts';
import { RemoteWork } from './remote-work.ts';
import { ProducedStore, type ProduceRequest, type Turn } from './store-produced.ts';

export interface Produced {
  readonly value: unknown;
  readonly source: 'factory' | 'memory' | 'redis';
}

const FIRST_POLL_MS = 50;
const MAX_POLL_MS = 1_000;

/** Produces missing values once across processes: the holder of the lease works, and the others wait for its value. */
export class ValueProducer {
  readonly #pair: TierPair;
  readonly #reader: TieredReader;
  readonly #writer: TieredWriter;
  readonly #remote: RemoteWork;
  readonly #store: ProducedStore;
  /** The work that runs. */
  readonly open = new OpenWorks();

  constructor(pair: TierPair, reader: TieredReader, writer: TieredWriter) {
    this.#pair = pair;
    this.#reader = reader;
    this.#writer = writer;
    this.#remote = new RemoteWork(pair.options.clock);
    this.#store = new ProducedStore(pair, writer);
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
      const turn = this.#turnAtOnce(request, nowMs) ?? (await this.#takeTurn(request, work, context.signal, nowMs));
      if ('value' in turn) return turn;
      work.tags = Object.keys(turn.stamps.tags);
      return await this.#make(request, turn, work, context);
    } finally {
      this.open.end(work);
    }
  }

  /** Gives leases back and stores no more. Callers of this process still get the values in the making. */
  close(): void {
    this.open.endLeases();
    this.#remote.wakeAll();
  }

  /** The value in memory, or the right to work where no other process is asked. */
  #turnAtOnce(request: ProduceRequest, nowMs: number): Turn | Produced | undefined {
    const entry = request.force ? undefined : this.#pair.peek(request.key, nowMs);
    if (entry !== undefined && answers(entry, request)) return { value: entryValue(entry), source: 'memory' };
    if (this.#pair.link !== undefined && !this.#pair.isClosed) return undefined;
    return this.#ownTurn(request, nowMs, entry);
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
      const { link } = this.#pair;
      const turn = link && (await this.#claim(request, link, nowMs));
      if (turn !== undefined) return turn;
      nowMs = clock.now();
      if (!this.#pair.isClosed) {
        const leftMs = startedAtMs + followerWaitMs - nowMs;
        if (leftMs <= 0) return this.#ownTurn(request, nowMs);
        await this.#remote.wait(request.key, Math.min(pollMs, leftMs), signal);
        nowMs = clock.now();
      }
      // An earlier removal was about the value of another process. The value made from now on may be stored.
      work.superseded = false;
      work.doubted = false;
      const atOnce = this.#turnAtOnce(request, nowMs);
      if (atOnce !== undefined) return atOnce;
    }
  }

  /** The right of this process alone. `replaced` is an entry that lacks a tag. */
  #ownTurn({ tags }: ProduceRequest, nowMs: number, replaced?: CacheEntry): Turn {
    const own = { tags: this.#pair.tags.own(tags, nowMs), shared: false };
    const stamps = replaced === undefined ? own : withTagsOf(replaced, own);
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
      if (this.#pair.isClosed) {
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
      const choices: FactoryChoices = { ttlMs: request.ttlMs, addedTags: [] };
      value = await this.#callFactory(request, work, context, choices);
      if (value === undefined) return { value, source: 'factory' };
      const hasChosen = choices.ttlMs !== request.ttlMs || choices.addedTags.length > 0;
      const stored = hasChosen
        ? await this.#store.chosen(request, turn, work, choices, value)
        : await this.#store.entry(request, turn, work, { value });
      return { value: stored === undefined ? value : stored.entry.value, source: 'factory' };
    } catch (error) {
      if (!signal.aborted) {
        this.#pair.count('factoryFailures', request.key);
        await this.#store.failure(request, turn, work, error);
      }
      throw error;
    } finally {
      if (turn.lease !== undefined) await turn.lease.end({ give: true });
    }
  }

  /** Waits no longer than the signal: a factory that ignores its signal must not keep the key from the next caller. */
  #callFactory(
    request: ProduceRequest,
    work: OpenWork,
    flight: FlightContext,
    choices: FactoryChoices,
  ): Promise<unknown> {
    const { factory, hardTimeoutMs, replaced, isAhead } = request;
    const onTags = (added: readonly string[]) => addTags(work, added);
    const stale = replaced && {
      value: replaced.value,
      ageMs: this.#pair.clock.now() - replaced.freshUntilMs + replaced.ttlMs,
    };
    const context = factoryContext({ ...flight, stale, isAhead }, request, choices, onTags);
    if (hardTimeoutMs === undefined) return raceSignal(Promise.resolve(factory(context)), flight.signal);
    return this.#callWithin(hardTimeoutMs, context, factory);
  }

  async #callWithin(timeoutMs: number, context: CacheFactoryContext, factory: CacheFactory<unknown>): Promise<unknown> {
    const { clock } = this.#pair.options;
    const child = childController(context.signal);
    const timer = clock.setTimeout(() => child.abort(new TimeoutError('a cache factory', timeoutMs)), timeoutMs);
    try {
      return await raceSignal(Promise.resolve(factory({ ...context, signal: child.signal })), child.signal);
    } finally {
      clock.clearTimeout(timer);
      child.detach();
    }
  }
}

/** Whether an entry saves the work. */
const answers = (entry: CacheEntry, request: ProduceRequest): boolean =>
  matches(entry, request) && !(request.isAhead && entry.id === request.replaced?.id);

/**
 * The argument of a factory, which writes to `choices` what the factory chooses.
 * @param onTags - Called with the tags that were added.
 */
function factoryContext(
  { signal, share, stale, isAhead }: Omit<CacheFactoryContext, 'setTtl' | 'setTags'>,
  { tags, nameTags }: FactoryChoiceOptions,
  choices: FactoryChoices,
  onTags: (tags: readonly string[]) => void,
): CacheFactoryContext {
  const setTtl = (seconds: number) => {
    choices.ttlMs = givenTtlMs(seconds, 'setTtl');
  };
  const setTags = (given: readonly string[]) => {
    const named = nameTags(checkTags(given));
    if (mergeTags(tags, named) === tags && named.some((tag) => !tags.includes(tag))) {
      throw new InputError('tags', `expected at most ${MAX_TAGS} with those of the options, got ${tags.length} there`);
    }
    choices.addedTags = named.filter((tag) => !tags.includes(tag));
    onTags(choices.addedTags);
  };
  return { signal, share, setTtl, setTags, stale, isAhead };
}

import { CacheMissError } from '../../errors/cache-error.ts';
import { cutAnswerOf } from '../../errors/cut-answer.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { LoadedImage } from '../../image/index.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import type { FlightContext, SingleFlight } from '../../internal/async/single-flight.ts';
import type { CacheFactoryContext, CacheHit, CacheSource, RedisCache } from '../../redis-cache/index.ts';
import { isWorthAnotherAttempt } from '../attempt/attempt-failure.ts';
import type { CallTrace } from '../attempt/call-trace.ts';
import { DeltaLog } from '../attempt/delta-log.ts';
import type { Answer, AskVision } from '../attempt/vision-asker.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import type { CallDeltas } from './call-deltas.ts';
import { type CachedDescription, failureBehind, isCachedDescription, type Obtained } from './call-outcome.ts';
import type { CallBounds } from './call-register.ts';
import type { DescriptionKeys } from './description-keys.ts';
import { type ImageIntake, ImageMoved, type TakenImage } from './image-intake.ts';

/** Share of a call's time after which a stale entry is served, if there is one. */
const STALE_AFTER_RATIO = 0.8;

/** Whether a joined call whose owner failed may succeed alone: the owner had its own deadline and limits. */
const maySucceedAlone = (error: unknown): boolean =>
  isWorthAnotherAttempt(error) || (DescribeError.is(error) && failureMeaning(error).joinedCallAsks);

/** Follows the log of the answer that the owner of a joined call shares. */
const followWith =
  (deltas: CallDeltas) =>
  (progress: object): void => {
    if (progress instanceof DeltaLog) deltas.follow(progress);
  };

type SendImage = (image: LoadedImage) => Promise<Answer>;

/** Sends no other form of the image after a part of the answer: it would give another answer. */
function unlessBegun(log: DeltaLog, send: SendImage): SendImage {
  let last: Promise<Answer> | undefined;
  return (image) => {
    if (last === undefined || !log.hasBegun) last = send(image);
    return last;
  };
}

/** Parts of a client that a description comes from. */
export interface CachedCallParts {
  readonly cache: RedisCache | undefined;
  /** Whether the client made the cache. A user's own may ignore the signals of its callers. */
  readonly ownsCache: boolean;
  /** Joins equal calls that bypass the cache. */
  readonly flights: SingleFlight<CachedDescription>;
  readonly keys: DescriptionKeys;
  readonly intake: ImageIntake;
  readonly ask: AskVision;
  /** Asks again for a description that is cached, on behalf of no caller. */
  readonly askAhead: (taken: TakenImage, request: NormalisedRequest, signal: AbortSignal) => Promise<CachedDescription>;
  /** Makes the error of each call that needs the API and must not use it, as without a key; undefined where it may. */
  readonly makeRefusal: (() => unknown) | undefined;
}

/** One call through cache and single flight. It knows whether it made the request itself or joined another call. */
export class CachedCall {
  readonly #parts: CachedCallParts;
  readonly #request: NormalisedRequest;
  readonly #bounds: CallBounds;
  readonly #trace: CallTrace;
  #caused: Answer | undefined;
  /** Whether the API was called on behalf of this very call. */
  #isOwner = false;
  #failure: unknown;

  constructor(parts: CachedCallParts, request: NormalisedRequest, bounds: CallBounds, trace: CallTrace) {
    this.#parts = parts;
    this.#request = request;
    this.#bounds = bounds;
    this.#trace = trace;
  }

  /** @param key - The cache key, where it is known. */
  async obtain(taken: TakenImage, key?: string): Promise<Obtained> {
    try {
      return await this.#read(taken, key);
    } catch (error) {
      return this.#recover(error, taken, key);
    }
  }

  /** Reads again where that may help; else gives the text of an answer that was cut off, or throws the error. */
  async #recover(error: unknown, taken: TakenImage, key: string | undefined, isFirst = true): Promise<Obtained> {
    const moved = isFirst && error instanceof ImageMoved ? error.taken : undefined;
    if (moved !== undefined || this.#mayAskAlone(error, isFirst)) {
      const [image, known] = moved === undefined ? [taken, key] : [moved, undefined];
      try {
        return await this.#read(image, known);
      } catch (next) {
        return this.#recover(next, image, known, false);
      }
    }
    const cut = this.#cutText(error);
    if (cut === undefined) throw error;
    return cut;
  }

  /** A joined call shares the owner's failure, but not its deadline, its limits or its parse. */
  #mayAskAlone(error: unknown, isFirst: boolean): boolean {
    if (this.#isOwner || this.#bounds.signal.aborted || this.#bounds.deltas?.hasBegun) return false;
    const cut = cutAnswerOf(error);
    // An answer within the same limit would be no longer. The next owner's limit may be too low again.
    if (cut !== undefined) return cut.maxOutputTokens < this.#request.maxOutputTokens;
    return isFirst && maySucceedAlone(error);
  }

  /** The answer that was cut off, for a call that takes its text. Only a whole description fills the cache. */
  #cutText(error: unknown): Obtained | undefined {
    const { onTruncated, fillsCache } = this.#request;
    const cut = onTruncated === 'return' && !fillsCache ? cutAnswerOf(error) : undefined;
    if (cut === undefined) return undefined;
    const { description, model, requestId } = cut;
    const cached = { description, model };
    if (!this.#isOwner) return { cached, source: 'shared', caused: undefined, truncated: true };
    return { cached, source: 'upstream', caused: { ...cached, requestId }, truncated: true };
  }

  async #read(taken: TakenImage, known?: string): Promise<Obtained> {
    const { cache, ownsCache, keys } = this.#parts;
    const { cache: mode } = this.#request;
    const { signal, deltas } = this.#bounds;
    const key = known ?? (await keys.keyOf(taken.identity, this.#request, signal));
    if (mode === 'only-if-cached') {
      const options = { signal, isValid: isCachedDescription };
      const reading = cache?.getWithSource<CachedDescription>(key, options);
      const found = await (ownsCache || reading === undefined ? reading : raceSignal(reading, signal));
      if (found === undefined) throw new CacheMissError();
      return { cached: found.value, source: found.source, caused: undefined };
    }
    if (cache === undefined || mode === 'no-store') return this.#obtainUncached(key, taken);
    const { tags, ttlSeconds, timeoutMs, fillsCache } = this.#request;
    let found: CacheHit<CachedDescription, CacheSource>;
    try {
      const reading = cache.getOrSetWithSource<CachedDescription>(key, this.#ask(taken), {
        signal,
        tags,
        ttlSeconds,
        isValid: isCachedDescription,
        forceRefresh: mode === 'reload',
        // A stream that has begun is not replaced because it is long.
        softTimeoutMs: fillsCache || deltas ? undefined : Math.ceil(timeoutMs * STALE_AFTER_RATIO),
        ...(deltas === undefined ? {} : { onShared: followWith(deltas) }),
      });
      found = await (ownsCache ? reading : raceSignal(reading, signal));
    } catch (error) {
      // A cache that its owner closed counts as none. The call goes on without it, unless its purpose is to fill it.
      const isNeeded = this.#isOwner || signal.aborted || fillsCache;
      if (isNeeded || !DescribeError.is(error, 'DESCRIBE_CLOSED')) throw error;
      return this.#obtainUncached(key, taken);
    }
    const { value, source } = found;
    const obtained: Obtained = {
      cached: value,
      source: source === 'factory' ? 'upstream' : source,
      caused: this.#caused,
      ...(source === 'stale' && this.#failure !== undefined ? { failure: this.#failure } : {}),
    };
    if (source === 'stale' && (fillsCache || deltas?.hasBegun)) throw failureBehind(obtained);
    return obtained;
  }

  async #obtainUncached(key: string, taken: TakenImage): Promise<Obtained> {
    const { signal, deltas } = this.#bounds;
    const options = { signal, onShared: deltas && followWith(deltas) };
    const { value, shared } = await this.#parts.flights.run(key, this.#ask(taken), options);
    return { cached: value, source: shared ? 'shared' : 'upstream', caused: this.#caused };
  }

  /** Asks the API, for the cache alone. */
  askOnce(taken: TakenImage): Promise<CachedDescription> {
    return this.#ask(taken)({ signal: this.#bounds.signal });
  }

  /** The work that cache and single flight do at most once for equal calls: calls the API. */
  readonly #ask =
    (taken: TakenImage) =>
    async ({ signal, share, isAhead }: FlightContext & Partial<CacheFactoryContext>): Promise<CachedDescription> => {
      // The call that found the refresh due has its answer, and must not be billed.
      if (isAhead) return this.#parts.askAhead(taken, this.#request, signal);
      this.#isOwner = true;
      const { intake, ask, makeRefusal } = this.#parts;
      const { ticket, deltas } = this.#bounds;
      const log = deltas && new DeltaLog();
      if (log !== undefined) {
        // A cache of the user's may pass nothing on.
        deltas?.follow(log);
        share?.(log);
      }
      const bounds = { ...this.#bounds, signal, log, retries: { made: 0 } };
      // Joined calls may wait for this work when the call that began it has ended.
      const release = ticket.hold();
      try {
        const send: SendImage = (image) => ask(image, this.#request, bounds, this.#trace);
        // Thrown here, so that no image is loaded in vain.
        if (makeRefusal !== undefined) throw makeRefusal();
        this.#caused = await intake.send(taken, log === undefined ? send : unlessBegun(log, send), signal, ticket);
        const { description, model } = this.#caused;
        return { description, model };
      } catch (error) {
        this.#failure = error;
        throw error;
      } finally {
        release();
      }
    };
}

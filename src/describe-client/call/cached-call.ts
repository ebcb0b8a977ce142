import { CacheMissError } from '../../errors/cache-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { isWorthAnotherAttempt } from '../attempt/attempt-failure.ts';
import type { Answer } from '../attempt/vision-asker.ts';
import type { ClientParts } from '../compose-parts.ts';
import { type CachedDescription, failureBehind, isCachedDescription, type Obtained } from './build-result.ts';
import type { CallBounds } from './call-deadline.ts';
import type { CallTrace } from './call-trace.ts';
import type { TakenImage } from './image-intake.ts';
import type { NormalisedRequest } from './normalise-request.ts';

/** Share of a call's time after which an expired entry is served, where there is one, rather than waiting on. */
const STALE_AFTER_RATIO = 0.8;

/** Whether a call that failed as another's follower may do better as its own: the other had its own time and limits. */
export const mayFareBetter = (error: unknown): boolean =>
  isWorthAnotherAttempt(error) || (DescribeError.is(error) && failureMeaning(error).joinedCallAsks);

/** One call's way through cache and single flight; knows whether it did the work or followed somebody who did. */
export class OwnFlight {
  readonly #parts: ClientParts;
  readonly #request: NormalisedRequest;
  readonly #bounds: CallBounds;
  readonly #trace: CallTrace;
  #caused: Answer | undefined;
  #isOwner = false;
  #failure: unknown;

  constructor(parts: ClientParts, request: NormalisedRequest, bounds: CallBounds, trace: CallTrace) {
    this.#parts = parts;
    this.#request = request;
    this.#bounds = bounds;
    this.#trace = trace;
  }

  /** Whether the API was asked on behalf of this very call. */
  get isOwner(): boolean {
    return this.#isOwner;
  }

  /** @param known - Its key, where that was made before. */
  async obtain(taken: TakenImage, known?: string): Promise<Obtained> {
    const { cache, keys } = this.#parts;
    const { cache: mode } = this.#request;
    const { signal } = this.#bounds;
    const key = known ?? (await keys.keyOf(taken.identity, this.#request, signal));
    if (mode === 'only-if-cached') {
      const found = await cache?.getWithSource<CachedDescription>(key, {
        signal,
        isValid: isCachedDescription,
      });
      if (found === undefined) throw new CacheMissError();
      return { cached: found.value, source: found.source, caused: undefined };
    }
    if (cache === undefined || mode === 'no-store') return this.#obtainUncached(key, taken);
    try {
      return await this.#obtainCached(cache, key, taken);
    } catch (error) {
      // A cache that its owner closed under us is no cache; the call goes on without, unless it was to fill it.
      const isNeeded = this.#isOwner || signal.aborted || this.#request.fillsCache;
      if (isNeeded || !DescribeError.is(error, 'DESCRIBE_CLOSED')) throw error;
      return this.#obtainUncached(key, taken);
    }
  }

  async #obtainCached(cache: NonNullable<ClientParts['cache']>, key: string, taken: TakenImage): Promise<Obtained> {
    const { tags, ttlSeconds, timeoutMs, cache: mode, fillsCache } = this.#request;
    const { value, source } = await cache.getOrSetWithSource<CachedDescription>(key, this.#ask(taken), {
      signal: this.#bounds.signal,
      tags,
      ttlSeconds,
      isValid: isCachedDescription,
      forceRefresh: mode === 'reload',
      softTimeoutMs: fillsCache ? undefined : Math.ceil(timeoutMs * STALE_AFTER_RATIO),
    });
    const obtained: Obtained = {
      cached: value,
      source: source === 'factory' ? 'upstream' : source,
      caused: this.#caused,
      ...(source === 'stale' && this.#failure !== undefined ? { failure: this.#failure } : {}),
    };
    if (fillsCache && source === 'stale') throw failureBehind(obtained);
    return obtained;
  }

  async #obtainUncached(key: string, taken: TakenImage): Promise<Obtained> {
    const { signal } = this.#bounds;
    const { value, shared } = await this.#parts.flights.run(key, this.#ask(taken), { signal });
    return { cached: value, source: shared ? 'shared' : 'upstream', caused: this.#caused };
  }

  readonly #ask =
    (taken: TakenImage) =>
    async ({ signal }: { readonly signal: AbortSignal }): Promise<CachedDescription> => {
      this.#isOwner = true;
      const { intake, ask, makeKeyError } = this.#parts;
      const { room } = this.#bounds;
      const bounds = { ...this.#bounds, signal, retries: { made: 0 } };
      // Others may still wait for this work when the call it began for has left.
      const release = room?.hold();
      try {
        // Before the image is loaded for nothing.
        if (makeKeyError !== undefined) throw makeKeyError();
        const image = await intake.settle(taken, signal, room);
        this.#caused = await intake.send(
          image,
          (sendable) => ask(sendable, this.#request, bounds, this.#trace),
          signal,
          room,
        );
        const { description, model } = this.#caused;
        return { description, model };
      } catch (error) {
        this.#failure = error;
        throw error;
      } finally {
        release?.();
      }
    };
}

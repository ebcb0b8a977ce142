import { DescribeError } from '../../errors/describe-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import type { ClientParts } from '../compose-parts.ts';
import { buildResult, type CachedDescription, isCachedDescription, type Obtained } from './build-result.ts';
import { mayFareBetter, OwnFlight } from './cached-call.ts';
import { type CallBounds, settleWithin } from './call-deadline.ts';
import type { CallRegister } from './call-register.ts';
import { CallTrace, explainAtOnce } from './call-trace.ts';
import type { DescribeInput, DescribeOptions } from './describe-request.ts';
import type { DescribeResult } from './describe-result.ts';
import { explainError } from './explain-error.ts';
import type { FallbackCall } from './fallback.ts';
import { ImageMoved, type ImageName, type TakenImage } from './image-intake.ts';
import { type NormalisedRequest, normaliseRequest } from './normalise-request.ts';

/** What else decides over a call. */
export interface RunOptions {
  /** Ends the call with what it belongs to. */
  readonly ownerSignal?: AbortSignal | undefined;
  /**
   * It is asked to fill the cache: what would not be stored, such as a fallback's word, is no answer.
   * @defaultValue false
   */
  readonly fillsCache?: boolean | undefined;
}

/** What is known of a call without a wait. */
interface AtOnce {
  readonly name: ImageName;
  /** Of the very `request`. */
  readonly key: string;
  readonly request: NormalisedRequest;
  readonly cached: CachedDescription | undefined;
  /** Why the cached description does not do: its data are not of the schema. */
  readonly unfit?: unknown;
}

/** Takes calls from their input to their result, through admission, fallbacks, cache and single flight. */
export class CallRunner {
  readonly #parts: ClientParts;
  readonly #calls: CallRegister;

  constructor(parts: ClientParts, calls: CallRegister) {
    this.#parts = parts;
    this.#calls = calls;
  }

  async describe<Data>(
    input: DescribeInput<Data>,
    options: DescribeOptions<Data> | undefined,
    { ownerSignal, fillsCache = false }: RunOptions = {},
  ): Promise<DescribeResult<Data>> {
    const { settings, clock, metrics } = this.#parts;
    const startedAtMs = clock.now();
    let request: NormalisedRequest<Data>;
    try {
      this.#calls.assertOpen();
      request = normaliseRequest(input, options, settings);
      if (fillsCache) request = toFillCache(request);
    } catch (error) {
      throw explainError(error, explainAtOnce(clock.now() - startedAtMs));
    }
    const isOver = request.signal?.aborted || ownerSignal?.aborted;
    const atOnce = isOver ? undefined : this.#lookAtOnce(request);
    const trace = () => new CallTrace(clock, startedAtMs);
    if (atOnce?.cached === undefined) return this.#run(request, ownerSignal, trace(), atOnce);
    const obtained: Obtained = { cached: atOnce.cached, source: 'memory', caused: undefined };
    let result: DescribeResult<Data>;
    try {
      result = buildResult(request, obtained, {}, explainAtOnce(clock.now() - startedAtMs));
    } catch (unfit) {
      return this.#run(request, ownerSignal, trace(), { ...atOnce, unfit });
    }
    this.#calls.countAnswered();
    metrics.callSucceeded(request.model, result);
    return result;
  }

  /** The short way of a hit in memory: what it finds, and what it learns of the call. */
  #lookAtOnce(request: NormalisedRequest): AtOnce | undefined {
    const { cache, keys, intake } = this.#parts;
    const { cache: mode, tags } = request;
    try {
      const name = intake.nameAtOnce(request.image);
      const key = name && keys.keyAtOnce(name.identity, request);
      if (name === undefined || key === undefined) return undefined;
      const mayRead = mode === 'default' || mode === 'only-if-cached';
      const cached = mayRead ? cache?.peekMemory?.(key, tags, isCachedDescription) : undefined;
      return { name, key, request, cached: cached as CachedDescription | undefined };
    } catch {
      // The long way meets the same error, and tells it with the story of the call.
      return undefined;
    }
  }

  #run<Data>(
    request: NormalisedRequest<Data>,
    ownerSignal: AbortSignal | undefined,
    trace: CallTrace,
    atOnce: AtOnce | undefined,
  ): Promise<DescribeResult<Data>> {
    const { clock, metrics, priceOf } = this.#parts;
    const signals = [request.signal, ownerSignal];
    return this.#calls.track(async () => {
      try {
        const result = await settleWithin(request.timeoutMs, signals, this.#calls, clock, (bounds) =>
          this.#admit(request, bounds, trace, atOnce),
        );
        metrics.callSucceeded(request.model, result);
        return result;
      } catch (error) {
        const explanation = trace.explain();
        metrics.callFailed(request.model, error, explanation);
        throw explainError(error, explanation, {
          signals: [...signals, this.#calls.ended],
          billed: trace.bill.total(priceOf),
        });
      }
    });
  }

  /** Drops what is cached for this very request, on every process, and lets later calls join no older one. */
  async invalidate(input: DescribeInput, options: DescribeOptions | undefined): Promise<void> {
    this.#calls.assertOpen();
    const { settings, admission, intake, cache, flights, fallback, keys } = this.#parts;
    const request = normaliseRequest(input, options, settings);
    await this.#hold(request.timeoutMs, request.signal, async (signal) => {
      const room = admission.enter(request.priority);
      try {
        const { identity } = await intake.take(request, signal, room);
        // What a fallback's model said would be served again the next time that the first one fails.
        const models = new Set([request.model, ...(fallback?.models ?? [])]);
        const dropped = await Promise.all(
          [...models].map((model) => keys.keyOf(identity, { ...request, model }, signal)),
        );
        for (const key of dropped) flights.forget(key);
        if (cache !== undefined) await raceSignal(cache.deleteMany(dropped), signal);
      } finally {
        room.leave();
      }
    });
  }

  /** Drops what is cached with one of these tags, on every process. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    this.#calls.assertOpen();
    const { settings, cache } = this.#parts;
    if (cache === undefined) return;
    await this.#hold(settings.timeoutMs, undefined, (signal) => raceSignal(cache.invalidateByTags([...tags]), signal));
  }

  /** Runs what is not counted as a call, but ends as one does, and before the cache is closed. */
  #hold(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    return this.#calls.hold(() =>
      settleWithin(timeoutMs, [signal], this.#calls, this.#parts.clock, (bounds) => run(bounds.signal)),
    );
  }

  async #admit<Data>(
    request: NormalisedRequest<Data>,
    bounds: CallBounds,
    trace: CallTrace,
    atOnce: AtOnce | undefined,
  ): Promise<DescribeResult<Data>> {
    const room = this.#parts.admission.enter(request.priority, () => trace.waits());
    try {
      return await this.#obtainResult(request, { ...bounds, room }, trace, atOnce);
    } finally {
      room.leave();
    }
  }

  async #obtainResult<Data>(
    request: NormalisedRequest<Data>,
    bounds: CallBounds,
    trace: CallTrace,
    atOnce: AtOnce | undefined,
  ): Promise<DescribeResult<Data>> {
    const { priceOf, intake, fallback } = this.#parts;
    const taken = await intake.take(request, bounds.signal, bounds.room, atOnce?.name);
    const result = (obtained: Obtained) => buildResult(request, obtained, trace.bill.total(priceOf), trace.explain());
    let unfit = atOnce?.unfit;
    if (unfit === undefined) {
      const ask: FallbackCall['ask'] = (asked, within) => this.#obtain(taken, asked, within, trace, atOnce);
      const mayFallBack = fallback !== undefined && !request.fillsCache && request.cache !== 'only-if-cached';
      const obtained = mayFallBack
        ? await fallback.obtain({ request, image: taken.image, bounds, trace, ask })
        : await ask(request, bounds);
      try {
        return result(obtained);
      } catch (error) {
        if (obtained.caused !== undefined) throw error;
        unfit = error;
      }
    }
    // A mistake in `parse` meets every answer; what is only cached may be from before `parse` changed.
    if (request.cache === 'only-if-cached' || !DescribeError.is(unfit) || !unfit.retryable) throw unfit;
    return result(await this.#obtain(taken, { ...request, cache: 'reload' }, bounds, trace));
  }

  async #obtain(
    taken: TakenImage,
    request: NormalisedRequest,
    bounds: CallBounds,
    trace: CallTrace,
    atOnce?: AtOnce,
  ): Promise<Obtained> {
    const flight = new OwnFlight(this.#parts, request, bounds, trace);
    const isSame = atOnce?.request === request && atOnce.name.identity === taken.identity;
    try {
      return await flight.obtain(taken, isSame ? atOnce.key : undefined);
    } catch (error) {
      if (error instanceof ImageMoved) return flight.obtain(error.taken);
      // Who only followed another call shares its fate, but not its deadline, its limits or its parse.
      if (!flight.isOwner && !bounds.signal.aborted && mayFareBetter(error)) return flight.obtain(taken);
      throw error;
    }
  }
}

/** @throws `DESCRIBE_INPUT_INVALID` for a request that stores nothing. */
function toFillCache<Data>(request: NormalisedRequest<Data>): NormalisedRequest<Data> {
  if (request.cache === 'no-store') throw new InputError('cache', 'expected a mode that stores, got no-store');
  return { ...request, fillsCache: true };
}

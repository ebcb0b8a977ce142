import { DescribeError } from '../../errors/describe-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import type { ClientParts } from '../compose-parts.ts';
import { buildResult, type Obtained } from './build-result.ts';
import { mayFareBetter, OwnFlight } from './cached-call.ts';
import { type CallBounds, settleWithin } from './call-deadline.ts';
import type { CallRegister } from './call-register.ts';
import { CallTrace } from './call-trace.ts';
import type { DescribeInput, DescribeOptions } from './describe-request.ts';
import type { DescribeResult } from './describe-result.ts';
import { explainError, explaining } from './explain-error.ts';
import type { FallbackCall } from './fallback.ts';
import { ImageMoved, type TakenImage } from './image-intake.ts';
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
    const { settings, clock, metrics, fallback } = this.#parts;
    const trace = new CallTrace(clock);
    const request = explaining(trace, () => {
      this.#calls.assertOpen();
      const asked = normaliseRequest(input, options, settings);
      if (fillsCache && asked.cache === 'no-store')
        throw new InputError('cache', 'expected a mode that stores, got no-store');
      return fillsCache ? { ...asked, fillsCache } : asked;
    });
    const mayFallBack = !fillsCache && request.cache !== 'only-if-cached';
    return this.#calls.track(async () => {
      const signals = [request.signal, ownerSignal];
      try {
        const result = await settleWithin(request.timeoutMs, signals, this.#calls, clock, (bounds) =>
          this.#admit(request, bounds, trace, mayFallBack ? fallback : undefined),
        );
        metrics.callSucceeded(request.model, result);
        return result;
      } catch (error) {
        const explanation = trace.explain();
        metrics.callFailed(request.model, error, explanation);
        throw explainError(error, explanation, {
          signals: [...signals, this.#calls.ended],
          billed: trace.bill.total(this.#parts.priceOf),
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
    fallback: ClientParts['fallback'],
  ): Promise<DescribeResult<Data>> {
    const room = this.#parts.admission.enter(request.priority, () => trace.waits());
    try {
      return await this.#obtainResult(request, { ...bounds, room }, trace, fallback);
    } finally {
      room.leave();
    }
  }

  async #obtainResult<Data>(
    request: NormalisedRequest<Data>,
    bounds: CallBounds,
    trace: CallTrace,
    fallback: ClientParts['fallback'],
  ): Promise<DescribeResult<Data>> {
    const { priceOf, intake } = this.#parts;
    const taken = await intake.take(request, bounds.signal, bounds.room);
    const ask: FallbackCall['ask'] = (asked, within) => this.#obtain(taken, asked, within, trace);
    const obtained =
      fallback === undefined
        ? await ask(request, bounds)
        : await fallback.obtain({ request, image: taken.image, bounds, trace, ask });
    try {
      return buildResult(request, obtained, trace, priceOf);
    } catch (error) {
      if (obtained.caused !== undefined || request.cache === 'only-if-cached') throw error;
      // A mistake in `parse` meets every answer.
      if (!DescribeError.is(error) || !error.retryable) throw error;
      // What is cached is from before `parse` changed.
      const fresh = await this.#obtain(taken, { ...request, cache: 'reload' }, bounds, trace);
      return buildResult(request, fresh, trace, priceOf);
    }
  }

  async #obtain(
    taken: TakenImage,
    request: NormalisedRequest,
    bounds: CallBounds,
    trace: CallTrace,
  ): Promise<Obtained> {
    const flight = new OwnFlight(this.#parts, request, bounds, trace);
    try {
      return await flight.obtain(taken);
    } catch (error) {
      if (error instanceof ImageMoved) return flight.obtain(error.taken);
      // Who only followed another call shares its fate, but not its deadline, its limits or its parse.
      if (!flight.isOwner && !bounds.signal.aborted && mayFareBetter(error)) return flight.obtain(taken);
      throw error;
    }
  }
}

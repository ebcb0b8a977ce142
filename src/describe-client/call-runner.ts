import { buildResult, type Obtained } from './build-result.ts';
import { type CallBounds, settleWithin } from './call-bounds.ts';
import type { CallRegister } from './call-register.ts';
import { CallTrace } from './call-trace.ts';
import type { ClientParts } from './compose-parts.ts';
import type { DescribeInput, DescribeOptions } from './describe-request.ts';
import type { DescribeResult } from './describe-result.ts';
import { explainError, explaining } from './explain-error.ts';
import type { FallbackCall } from './fallback.ts';
import { ImageMoved, type TakenImage } from './image-intake.ts';
import { type NormalisedRequest, normaliseRequest } from './normalise-request.ts';
import { mayFareBetter, OwnFlight } from './own-flight.ts';

/** What else decides over a call. */
export interface RunOptions {
  /** Ends the call with what it belongs to. */
  readonly ownerSignal?: AbortSignal | undefined;
  /** Nothing but an answer to the request itself will do. @defaultValue false */
  readonly withoutFallback?: boolean | undefined;
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
    { ownerSignal, withoutFallback = false }: RunOptions = {},
  ): Promise<DescribeResult<Data>> {
    const { settings, clock, metrics, fallback } = this.#parts;
    const trace = new CallTrace(clock);
    const request = explaining(trace, () => {
      this.#calls.assertOpen();
      return normaliseRequest(input, options, settings);
    });
    const mayFallBack = !withoutFallback && request.cache !== 'only-if-cached';
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
        throw explainError(error, explanation, [...signals, this.#calls.ended]);
      }
    });
  }

  /** Drops what is cached for this very request, on every process; nothing without a cache. */
  async invalidate(input: DescribeInput, options: DescribeOptions | undefined): Promise<void> {
    this.#calls.assertOpen();
    const { settings, clock, admission, intake, cache, keyOf } = this.#parts;
    const request = normaliseRequest(input, options, settings);
    if (cache === undefined) return;
    await settleWithin(request.timeoutMs, [request.signal], this.#calls, clock, async ({ signal }) => {
      const room = admission.enter(request.priority);
      try {
        const { identity } = await intake.take(request.image, signal, room);
        await cache.delete(keyOf(identity, request));
      } finally {
        room.leave();
      }
    });
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
    const taken = await intake.take(request.image, bounds.signal, bounds.room);
    const ask: FallbackCall['ask'] = (asked, within) => this.#obtain(taken, asked, within, trace);
    const obtained =
      fallback === undefined
        ? await ask(request, bounds)
        : await fallback.obtain({ request, image: taken.image, bounds, trace, ask });
    try {
      return buildResult(request, obtained, trace, priceOf);
    } catch (error) {
      if (obtained.caused !== undefined || request.cache === 'only-if-cached') throw error;
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

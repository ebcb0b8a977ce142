import { DescribeError } from '../../errors/describe-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { asBytes } from '../../image/reading/image-source.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { CallTrace } from '../attempt/call-trace.ts';
import type { AskBounds } from '../attempt/vision-asker.ts';
import type { DescribeInput, DescribeOptions } from '../options/describe-request.ts';
import type { NormalisedRequest, RequestDefaults } from '../options/request-spec.ts';
import type { CallMetrics } from '../reports/call-metrics.ts';
import type { Admission } from './admission.ts';
import type { AdmissionTicket } from './admission-ticket.ts';
import { CachedCall, type CachedCallParts } from './cached-call.ts';
import type { CallDeltas } from './call-deltas.ts';
import {
  buildResult,
  type CachedDescription,
  explainAtOnce,
  explainError,
  isCachedDescription,
  type Obtained,
} from './call-outcome.ts';
import type { CallBounds, CallRegister } from './call-register.ts';
import type { DescribeResult } from './describe-result.ts';
import { type Fallback, type FallbackCall, fallsBack } from './fallback.ts';
import type { ImageName, TakenImage } from './image-intake.ts';
import { normaliseRequest } from './normalise-request.ts';
import { refusedTicket } from './refused-ticket.ts';

/** Differences from a call of `describe`. */
export interface RunOptions {
  /** Ends the call together with its owner. */
  readonly ownerSignal?: AbortSignal | undefined;
  /**
   * Whether the call is to fill the cache. An answer that is not stored, such as a fallback's, is then a failure.
   * @defaultValue false
   */
  readonly fillsCache?: boolean | undefined;
  /** Follows the answer as it arrives. */
  readonly deltas?: CallDeltas | undefined;
}

/** Facts of a call that are known without a wait. */
interface AtOnce {
  readonly name: ImageName;
  readonly key: string;
  readonly cached: CachedDescription | undefined;
  /** Why the cached description can't be used: its data do not match the schema. */
  readonly unfit?: unknown;
}

/** Parts of a client that a call uses. */
export interface CallParts extends Omit<CachedCallParts, 'askAhead'> {
  readonly settings: RequestDefaults;
  readonly clock: Clock;
  readonly admission: Admission;
  /** Absent without the option. */
  readonly fallback: Fallback | undefined;
  readonly metrics: CallMetrics;
}

/** Takes calls from their input to their result, through admission, fallbacks, cache and single flight. */
export class CallRunner {
  readonly #parts: CallParts & CachedCallParts;
  readonly #calls: CallRegister;

  constructor(parts: CallParts, calls: CallRegister) {
    const askAhead: CachedCallParts['askAhead'] = (...asked) => this.#askAhead(...asked);
    this.#parts = { ...parts, askAhead };
    this.#calls = calls;
  }

  async describe<Data>(
    input: DescribeInput<Data>,
    options: DescribeOptions<Data> | undefined,
    { ownerSignal, fillsCache = false, deltas }: RunOptions = {},
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
    if (atOnce?.cached === undefined) return this.#run(request, { ownerSignal, deltas }, startedAtMs, atOnce);
    const obtained: Obtained = { cached: atOnce.cached, source: 'memory', caused: undefined };
    let result: DescribeResult<Data>;
    try {
      result = buildResult(request, obtained, {}, explainAtOnce(clock.now() - startedAtMs));
    } catch (unfit) {
      return this.#run(request, { ownerSignal, deltas }, startedAtMs, { ...atOnce, unfit });
    }
    this.#calls.countAnswered();
    metrics.callSucceeded(request.model, result);
    return result;
  }

  /** The short path of a hit in memory: its result, and what it found out about the call. */
  #lookAtOnce(request: NormalisedRequest): AtOnce | undefined {
    const { cache, keys, intake } = this.#parts;
    const { cache: mode, tags } = request;
    try {
      const name = intake.nameAtOnce(request.image);
      const key = name && keys.keyAtOnce(name.identity, request);
      if (name === undefined || key === undefined) return undefined;
      const mayRead = mode === 'default' || mode === 'only-if-cached';
      const cached = mayRead ? cache?.peekMemory?.(key, tags, isCachedDescription) : undefined;
      return { name, key, cached: cached as CachedDescription | undefined };
    } catch {
      // The long path meets the same error, and throws it with the explanation of the call.
      return undefined;
    }
  }

  async #run<Data>(
    request: NormalisedRequest<Data>,
    { ownerSignal, deltas }: RunOptions,
    startedAtMs: number,
    atOnce: AtOnce | undefined,
  ): Promise<DescribeResult<Data>> {
    const { metrics, clock } = this.#parts;
    const { timeoutMs } = request;
    const signals = [request.signal, ownerSignal];
    const trace = new CallTrace(clock, startedAtMs);
    try {
      const run = (bounds: AskBounds) => this.#answer(request, { ...bounds, deltas }, trace, atOnce);
      const result = await this.#calls.run({ isCall: true, timeoutMs, signals, startedAtMs, run });
      metrics.callSucceeded(request.model, result);
      return result;
    } catch (error) {
      await trace.settled();
      const explanation = trace.explain();
      metrics.callFailed(request.model, error, explanation);
      throw explainError(error, explanation, { signals: [...signals, this.#calls.ended], billed: trace.bill });
    }
  }

  /** Removes the cached description of this very request on every process. Later calls join no earlier one. */
  async invalidate(input: DescribeInput, options: DescribeOptions | undefined): Promise<void> {
    this.#calls.assertOpen();
    const { settings, admission, intake, cache, flights, fallback, keys } = this.#parts;
    const request = normaliseRequest(input, options, settings);
    const run = async ({ signal }: AskBounds) => {
      const ticket = admission.enter(request.priority);
      try {
        const { identity } = await intake.take(request, signal, ticket);
        // Otherwise a fallback model's answer would be served again the next time that the first model fails.
        const models = new Set([request.model, ...(fallback?.models ?? [])]);
        const dropped = await Promise.all(
          [...models].map((model) => keys.keyOf(identity, { ...request, model }, signal)),
        );
        for (const key of dropped) flights.forget(key);
        if (cache !== undefined) await raceSignal(cache.deleteMany(dropped), signal);
      } finally {
        ticket.leave();
      }
    };
    await this.#calls.run({ isCall: false, timeoutMs: request.timeoutMs, signals: [request.signal], run });
  }

  /** Removes the descriptions with one of these tags on every process. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    this.#calls.assertOpen();
    const { settings, cache } = this.#parts;
    if (cache === undefined) return;
    const run = ({ signal }: AskBounds) => raceSignal(cache.invalidateByTags([...tags]), signal);
    await this.#calls.run({ isCall: false, timeoutMs: settings.timeoutMs, signals: [], run });
  }

  /** Has its own deadline, admission and bill. Waits behind the calls, and ends when the client is closed. */
  #askAhead(taken: TakenImage, given: NormalisedRequest, cacheSignal: AbortSignal): Promise<CachedDescription> {
    const { admission, clock } = this.#parts;
    const request = { ...given, priority: Math.min(0, given.priority) - 1 };
    const run = async (bounds: AskBounds) => {
      const ticket = admission.enter(request.priority);
      try {
        const { image } = taken;
        if (image.kind === 'bytes') await ticket.reserve(image.bytes.byteLength, bounds.signal);
        return await new CachedCall(this.#parts, request, { ...bounds, ticket }, new CallTrace(clock)).askOnce(taken);
      } finally {
        ticket.leave();
      }
    };
    const signals = [cacheSignal, this.#calls.refused];
    return this.#calls.run({ isCall: false, timeoutMs: request.timeoutMs, signals, run });
  }

  /** Admits a call, and returns its result. */
  async #answer<Data>(
    request: NormalisedRequest<Data>,
    { signal, deadlineAtMs, deltas }: Omit<CallBounds, 'ticket'>,
    trace: CallTrace,
    atOnce: AtOnce | undefined,
  ): Promise<DescribeResult<Data>> {
    let ticket: AdmissionTicket;
    try {
      ticket = this.#parts.admission.enter(request.priority, () => trace.waits());
    } catch (refusal) {
      return this.#answerRefused(request, { signal, deadlineAtMs, deltas }, trace, atOnce, refusal);
    }
    try {
      const bounds = { signal, deadlineAtMs, ticket, deltas };
      const taken = await this.#parts.intake.take(request, signal, ticket, atOnce?.name);
      let unfit = atOnce?.unfit;
      if (unfit === undefined) {
        const obtained = await this.#obtain(request, taken, bounds, trace, atOnce);
        try {
          return buildResult(request, obtained, trace.bill, trace.explain());
        } catch (error) {
          if (obtained.caused !== undefined) throw error;
          unfit = error;
        }
      }
      // A cached description may be older than the present `parse`. A mistake in `parse` would meet every answer.
      const isFinal = request.cache === 'only-if-cached' || deltas?.hasBegun;
      if (isFinal || !DescribeError.is(unfit) || !unfit.retryable) throw unfit;
      const reload: NormalisedRequest = { ...request, cache: 'reload' };
      const obtained = await new CachedCall(this.#parts, reload, bounds, trace).obtain(taken);
      return buildResult(request, obtained, trace.bill, trace.explain());
    } finally {
      ticket.leave();
    }
  }

  /**
   * Looks for a fallback of a call that was not admitted: an answer that takes neither a request to the API nor
   * capacity for an image.
   * @throws `refusal` where there is none.
   */
  async #answerRefused<Data>(
    request: NormalisedRequest<Data>,
    bounds: Omit<CallBounds, 'ticket'>,
    trace: CallTrace,
    atOnce: AtOnce | undefined,
    refusal: unknown,
  ): Promise<DescribeResult<Data>> {
    const { intake, fallback } = this.#parts;
    const isFinal = request.fillsCache || request.cache === 'only-if-cached';
    if (fallback === undefined || isFinal || !fallsBack(refusal)) throw refusal;
    const ticket = refusedTicket(refusal, asBytes(request.image) !== undefined);
    const taken = await intake.take(request, bounds.signal, ticket, atOnce?.name);
    const parts = { ...this.#parts, makeRefusal: () => refusal };
    const ask: FallbackCall['ask'] = (asked, within) => new CachedCall(parts, asked, within, trace).obtain(taken);
    const call: FallbackCall = { request, image: taken.image, bounds: { ...bounds, ticket }, trace, ask };
    return buildResult(request, await fallback.obtain(call), trace.bill, trace.explain());
  }

  /** Obtains a description, by a fallback where the client has some and the request may use them. */
  #obtain(
    request: NormalisedRequest,
    taken: TakenImage,
    bounds: CallBounds,
    trace: CallTrace,
    atOnce: AtOnce | undefined,
  ): Promise<Obtained> {
    const { fallback } = this.#parts;
    const key = atOnce?.name.identity === taken.identity ? atOnce.key : undefined;
    if (fallback === undefined || request.fillsCache || request.cache === 'only-if-cached') {
      return new CachedCall(this.#parts, request, bounds, trace).obtain(taken, key);
    }
    const ask: FallbackCall['ask'] = (asked, within) =>
      new CachedCall(this.#parts, asked, within, trace).obtain(taken, asked === request ? key : undefined);
    return fallback.obtain({ request, image: taken.image, bounds, trace, ask });
  }
}

/** @throws `DESCRIBE_INPUT_INVALID` for a request that stores nothing. */
function toFillCache<Data>(request: NormalisedRequest<Data>): NormalisedRequest<Data> {
  if (request.cache === 'no-store') throw new InputError('cache', "expected a mode that stores, got 'no-store'");
  return { ...request, fillsCache: true };
}

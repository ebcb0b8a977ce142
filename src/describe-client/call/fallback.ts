import { parsedBy } from '../../batch-processor/packs/pack-answer.ts';
import type { FallbackRecord } from '../../errors/call-explanation.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import type { LoadedImage } from '../../image/index.ts';
import { childController, raceSignal } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import type { CallTrace } from '../attempt/call-trace.ts';
import { type FallbackFunction, type FallbackStep, isModelStep } from '../options/fallback-option.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import type { DescribeSchema } from '../schema/schema-source.ts';
import { type CachedDescription, failureBehind, type Obtained } from './call-outcome.ts';
import type { CallBounds } from './call-register.ts';

/** A call that may fall back. */
export interface FallbackCall {
  readonly request: NormalisedRequest;
  readonly image: LoadedImage;
  readonly bounds: CallBounds;
  readonly trace: Pick<CallTrace, 'fallsBack'>;
  /** Describes as a call of its own with its own cache key, so that one model's answer is never cached as another's. */
  readonly ask: (request: NormalisedRequest, bounds: CallBounds) => Promise<Obtained>;
}

/** Bounds of one fallback, with its share of the time where another one follows. */
interface TimedBounds extends CallBounds {
  readonly timeLeftMs?: number;
}

/** A fallback that can be tried, with its record. */
interface TriedFallback {
  readonly record: Pick<FallbackRecord, 'kind' | 'model'>;
  /** Undefined: the fallback has no answer. */
  take(bounds: TimedBounds): Promise<Obtained | undefined>;
}

/** Share of the time left for one fallback while another follows it, so that a hang does not use up all of it. */
const SHARE_OF_TIME = 0.8;

/**
 * Whether a failure leads to a fallback: of the service, a limit, the account's quota, or a useless answer. A fault of
 * the image or the request would come again everywhere. A refused key must be noticed.
 */
export function fallsBack(error: unknown): error is DescribeError {
  return DescribeError.is(error) && failureMeaning(error).fallsBack;
}

/**
 * Calls the API, and tries the fallbacks in the order given when that fails. When none helps, the call fails with its
 * first error. All of it ends by the call's deadline: one that another follows has four fifths of the time that is
 * left.
 *
 * A stale entry that the cache gave in place of a failure is used at its position in the order, or after all others.
 */
export class Fallback {
  readonly #steps: readonly FallbackStep[];
  readonly #clock: Clock;

  /** @param steps - Checked by `fallbackCheck`. */
  constructor(steps: readonly FallbackStep[], clock: Clock) {
    this.#steps = steps;
    this.#clock = clock;
  }

  /** Models that may answer in place of a request's own. */
  get models(): readonly string[] {
    return this.#steps.flatMap((step) => (step !== 'stale' && isModelStep(step) ? [step.model] : []));
  }

  /**
   * @throws the first error, unwrapped.
   * @throws at once an error that leads to no fallback, or the signal's reason.
   */
  async obtain(call: FallbackCall): Promise<Obtained> {
    const { request, bounds } = call;
    const others = this.#steps.filter((step) => step !== 'stale' && !isSameModel(step, request));
    let stale: Obtained | undefined;
    let first: unknown;
    try {
      const obtained = await this.#within(bounds, others.length > 0, (own) => call.ask(inTime(request, own), own));
      if (obtained.source !== 'stale') return obtained;
      first = failureBehind(obtained);
      stale = obtained;
    } catch (error) {
      first = error;
    }
    bounds.signal.throwIfAborted();
    if (!fallsBack(first) || bounds.deltas?.hasBegun) {
      if (stale !== undefined) return stale;
      throw first;
    }
    const obtained = await this.#tryAll(call, this.#fallbacksOf(call, first, stale));
    if (obtained !== undefined) return obtained;
    bounds.signal.throwIfAborted();
    throw first;
  }

  #fallbacksOf(call: FallbackCall, error: DescribeError, stale: Obtained | undefined): TriedFallback[] {
    const fallbacks: TriedFallback[] = [];
    for (const step of this.#steps) {
      if (step === 'stale') fallbacks.push(staleFallback(stale, call.request.schema));
      else if (!isModelStep(step)) fallbacks.push(functionFallback(step, call, error));
      else if (!isSameModel(step, call.request)) fallbacks.push(modelFallback(step.model, call));
    }
    // The cache keeps stale entries by its own options. One is better than an error, also where the list leaves
    // `'stale'` out.
    if (stale !== undefined && !this.#steps.includes('stale'))
      fallbacks.push(staleFallback(stale, call.request.schema));
    return fallbacks;
  }

  async #tryAll({ bounds, trace }: FallbackCall, fallbacks: readonly TriedFallback[]): Promise<Obtained | undefined> {
    for (const [index, { record, take }] of fallbacks.entries()) {
      try {
        const obtained = await this.#within(bounds, index < fallbacks.length - 1, take);
        trace.fallsBack({ ...record, outcome: obtained === undefined ? 'none' : 'success' });
        if (obtained !== undefined) return obtained;
      } catch (error) {
        bounds.signal.throwIfAborted();
        const code = DescribeError.is(error) ? { code: error.code } : {};
        trace.fallsBack({ ...record, outcome: 'failure', ...code });
      }
    }
    return undefined;
  }

  /** Runs one fallback within its share of the time that is left, or within all of it when none follows. */
  async #within<Value>(
    bounds: CallBounds,
    isFollowed: boolean,
    run: (bounds: TimedBounds) => Promise<Value>,
  ): Promise<Value> {
    if (!isFollowed) return run(bounds);
    const nowMs = this.#clock.now();
    const shareMs = Math.max(1, Math.floor((bounds.deadlineAtMs - nowMs) * SHARE_OF_TIME));
    const child = childController(bounds.signal);
    const expire = () => {
      // Nothing follows an answer that is being delivered.
      if (bounds.deltas?.hasBegun) return;
      child.abort(new TimeoutError('the request, with a fallback to follow,', shareMs));
    };
    const timer = this.#clock.setTimeout(expire, shareMs);
    try {
      return await run({
        ...bounds,
        signal: child.signal,
        deadlineAtMs: nowMs + shareMs,
        timeLeftMs: shareMs,
      });
    } finally {
      this.#clock.clearTimeout(timer);
      child.detach();
    }
  }
}

/** The request with its share of the time, where that is not all of the call's. */
const inTime = (request: NormalisedRequest, { timeLeftMs }: TimedBounds): NormalisedRequest =>
  timeLeftMs === undefined ? request : { ...request, timeoutMs: Math.min(request.timeoutMs, timeLeftMs) };

const isSameModel = (step: FallbackStep, { model }: NormalisedRequest): boolean =>
  step !== 'stale' && isModelStep(step) && step.model === model;

function staleFallback(stale: Obtained | undefined, schema: DescribeSchema | undefined): TriedFallback {
  const usable = stale !== undefined && fits(stale.cached, schema) ? stale : undefined;
  return { record: { kind: 'stale' }, take: async () => usable };
}

function modelFallback(model: string, { request, ask }: FallbackCall): TriedFallback {
  return {
    record: { kind: 'model', model },
    take: (bounds) => ask({ ...inTime(request, bounds), model }, bounds),
  };
}

function functionFallback(
  step: FallbackFunction,
  { request, image }: FallbackCall,
  error: DescribeError,
): TriedFallback {
  const { prompt, model, detail, maxOutputTokens, schema, metadata } = request;
  const given = {
    ...(image.kind === 'url' ? { imageUrl: image.url } : { image: image.bytes }),
    prompt,
    model,
    detail,
    maxOutputTokens,
    ...(schema === undefined ? {} : { schema }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return {
    record: { kind: 'function' },
    take: async ({ signal }) => {
      const work = (async () => step({ ...given, signal }, error))();
      const cached = answerOf(await raceSignal(work, signal));
      if (cached === undefined || !fits(cached, schema)) throw new TypeError('the fallback gave no description');
      return { cached, source: 'fallback', caused: undefined };
    },
  };
}

/** The `model` of an answer whose fallback function names none. */
const NAMELESS = 'fallback';

function answerOf(value: unknown): CachedDescription | undefined {
  const { description, model = NAMELESS } = (
    typeof value === 'object' && value !== null ? value : { description: value }
  ) as { readonly description?: unknown; readonly model?: unknown };
  if (typeof description !== 'string' || description.trim() === '') return undefined;
  return { description, model: typeof model === 'string' ? model : NAMELESS };
}

function fits({ description }: CachedDescription, schema: DescribeSchema | undefined): boolean {
  if (schema === undefined) return true;
  try {
    const json: unknown = JSON.parse(description);
    parsedBy(schema.parse, json);
    return true;
  } catch {
    return false;
  }
}

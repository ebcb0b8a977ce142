import type OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
} from 'openai/resources/chat/completions';
import { DescribeError } from '../errors/describe-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { classifyFailure } from '../internal/classify-failure.ts';
import type { Clock } from '../internal/clock.ts';
import { failureKind } from '../internal/failure-kind.ts';
import { childController } from '../internal/signals.ts';
import { type EncodedRequest, encodeRequest } from '../openai/encode-request.ts';
import type { RetryPolicy } from '../retry/index.ts';
import type { AttemptSink, AttemptTrace } from './call-trace.ts';

export type ChatRequest = ChatCompletionCreateParamsNonStreaming;

/** The part of a connection pool that a call needs. */
export interface ConnectionSource {
  use<Value>(
    run: (client: OpenAI) => Promise<Value>,
    options: { readonly signal: AbortSignal; readonly priority: number },
  ): Promise<Value>;
}

/** Runs an attempt unless the breaker of its model forbids it. */
export type BreakerGuard = <Value>(
  model: string,
  run: (breakerSignal: AbortSignal | undefined) => Promise<Value>,
) => Promise<Value>;

export interface UpstreamCallerParts {
  readonly endpoint: string;
  readonly connections: ConnectionSource;
  readonly guard: BreakerGuard;
  readonly retry: RetryPolicy;
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
  /** Told of every answer, before it is judged: it was billed. */
  readonly onAnswer: (completion: ChatCompletion) => void;
  /** Told of the headers of every answer and of every refusal for going too fast. */
  readonly onLimits: (model: string, headers: unknown, throttled: boolean) => void;
  /** Told of every attempt that ended, for metrics. */
  readonly onAttempt: (outcome: 'success' | 'failure' | 'aborted', error?: DescribeError) => void;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly priority: number;
  readonly timeoutMs: number;
  readonly deadlineAtMs: number;
  readonly trace: AttemptSink;
}

/** A request with the bytes of its body, and what to take from its answer. */
interface EncodedCall<Value> {
  readonly request: ChatRequest;
  readonly encoded: EncodedRequest;
  readonly read: (completion: ChatCompletion) => Value;
}

/** The call's own end: neither success nor failure of the other side. Not a DescribeError, so that no breaker counts it. */
class CallEnded extends Error {}

/** Tells a breaker what counts: outages only. Throttles, quotas, wrong keys, the caller's own faults and aborts don't. */
export const countsForBreaker = (error: unknown): boolean =>
  DescribeError.is(error) && failureKind(error) === 'outage';

/**
 * Tells what is retried: outages and throttles that may pass. What this process refused itself is not: behind an open
 * breaker or a full line an attempt costs nothing, and waiting there would only hide the state that the caller asked for.
 */
export const isWorthAnotherAttempt = (error: unknown): boolean =>
  DescribeError.is(error) &&
  error.retryable &&
  ['outage', 'throttle', 'content'].includes(failureKind(error));

/**
 * Sends one request: retry → breaker → pool → call. Each attempt has a time limit of its own, and every failure is
 * classified once, before the breaker and the retry see it.
 */
export class UpstreamCaller {
  readonly #parts: UpstreamCallerParts;

  constructor(parts: UpstreamCallerParts) {
    this.#parts = parts;
  }

  /**
   * The request may hold `InlineBytes` where the API takes a data URL; it is encoded once for all attempts.
   * @throws the last failure as a `DescribeError`, or the signal's reason.
   */
  async send<Value>(
    request: ChatRequest,
    read: (completion: ChatCompletion) => Value,
    options: SendOptions,
  ): Promise<Value> {
    const { retry, guard } = this.#parts;
    const { signal, deadlineAtMs } = options;
    const encoded = await encodeRequest(request, { signal });
    const attempt = (breakerSignal: AbortSignal | undefined) =>
      this.#attempt({ request, encoded, read }, options, breakerSignal);
    return retry.run(() => guard(request.model, attempt), { signal, deadlineAtMs });
  }

  async #attempt<Value>(
    { request, encoded, read }: EncodedCall<Value>,
    { signal, priority, timeoutMs, trace }: SendOptions,
    breakerSignal: AbortSignal | undefined,
  ): Promise<Value> {
    const { connections, endpoint, attemptTimeoutMs, clock, onAnswer, onLimits, onAttempt } = this.#parts;
    const attempt = trace.beginAttempt(endpoint);
    const child = childController(signal, breakerSignal);
    let timer: ReturnType<Clock['setTimeout']> | undefined;
    try {
      const value = await connections.use(
        async (client) => {
          attempt.connected();
          const expire = () => child.abort(new TimeoutError('an attempt', attemptTimeoutMs));
          timer = clock.setTimeout(expire, attemptTimeoutMs);
          const { data: completion, response } = await client.chat.completions
            .create(request, { ...encoded, signal: child.signal })
            .withResponse();
          onLimits(request.model, response.headers, false);
          onAnswer(completion);
          return read(completion);
        },
        { signal: child.signal, priority },
      );
      attempt.succeeded();
      onAttempt('success');
      return value;
    } catch (error) {
      const { status, headers } = (error ?? {}) as { readonly status?: unknown; readonly headers?: unknown };
      if (status === 429) onLimits(request.model, headers, true);
      throw this.#endAttempt(attempt, error, signal, child.signal, Math.min(timeoutMs, attemptTimeoutMs));
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer);
      child.detach();
    }
  }

  #endAttempt(
    attempt: AttemptTrace,
    error: unknown,
    signal: AbortSignal,
    attemptSignal: AbortSignal,
    patienceMs: number,
  ): unknown {
    // A call that ends while the API has had most of its time and said nothing is evidence against the API; one that
    // spent its time in our own queue, or was cancelled at once, is not.
    if (
      signal.aborted &&
      !(DescribeError.is(signal.reason, 'DESCRIBE_TIMEOUT') && attempt.onWireMs >= patienceMs / 2)
    ) {
      attempt.aborted();
      this.#parts.onAttempt('aborted');
      return new CallEnded('the call ended', { cause: error });
    }
    const failure = classifyFailure(attemptSignal.aborted ? attemptSignal.reason : error);
    attempt.failed(failure);
    this.#parts.onAttempt('failure', failure);
    return failure;
  }
}

import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { DescribeError } from '../../errors/describe-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { AnswerError } from '../../internal/upstream/chat-body.ts';
import { classifyFailure } from '../../internal/upstream/classify-failure.ts';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import { hasImageUrl, requestSecrets, type SentRequest } from '../../internal/upstream/sent-request.ts';
import { shortTokenOf } from '../../internal/upstream/server-reason.ts';
import { type ChatAnswer, sendChat } from '../../openai/exchange/chat-exchange.ts';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import type { EndpointDialect, RequestForm } from '../../openai/exchange/request-dialect.ts';
import type { RetryPolicy } from '../../retry/index.ts';
import type { RouteJob, RouteLeg, Router } from '../../routing/index.ts';
import type { RetryTally } from '../call/call-deadline.ts';
import type { AttemptSink, AttemptTrace } from '../call/call-trace.ts';
import { answerReport } from './answer-report.ts';
import { waitsAgain, wasUnsent } from './attempt-failure.ts';
import { LazyBody } from './lazy-body.ts';

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

/** What an endpoint's calls go through. */
export interface EndpointTarget {
  readonly connections: ConnectionSource;
  readonly guard: BreakerGuard;
  /** How its server takes requests. */
  readonly dialect: EndpointDialect;
  /** Where it is: an organisation has limits of its own at each address. */
  readonly address: string;
  /** What it is sent beside the key and must not repeat in an error. */
  readonly secrets: readonly string[];
}

/** The part of a router that a call needs. */
export type CallRouter = Pick<Router<EndpointTarget>, 'run' | 'hasOtherFor' | 'waitMsFor'>;

export interface UpstreamCallerParts {
  readonly router: CallRouter;
  readonly retry: RetryPolicy;
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
  /** Told of every answer, before it is judged: it was billed. */
  readonly onAnswer: (completion: ChatCompletion) => void;
  /** Told of the headers of every answer and of every refusal for going too fast. */
  readonly onLimits: (model: string, headers: unknown, throttled: boolean, endpoint: string) => void;
  /** Told of every attempt that ended, for metrics. */
  readonly onAttempt: (outcome: 'success' | 'failure' | 'aborted', error?: DescribeError) => void;
}

export interface SendOptions {
  /** Retries so far of the calls that this is sent for: the fewest count. Those of this request are added to each. */
  readonly retries?: readonly RetryTally[] | undefined;
  readonly signal: AbortSignal;
  readonly priority: number;
  /** What the request is expected to take of a limit of tokens. */
  readonly tokens: number;
  readonly timeoutMs: number;
  readonly deadlineAtMs: number;
  readonly trace: AttemptSink;
}

/** A call on its way: what is sent, what is taken from the answer, and what it may take. */
interface OngoingCall<Value> {
  readonly request: ChatRequest;
  readonly body: LazyBody;
  readonly read: (completion: ChatCompletion) => Value;
  readonly options: SendOptions;
  /** Names of the endpoints that have failed it. */
  readonly failedAt: ReadonlySet<string>;
}

/**
 * The call's own end: neither success nor failure of the other side. Not a DescribeError, so that no breaker counts it.
 */
class CallEnded extends Error {}

/**
 * Sends one request: retry → route → breaker → pool → call. Each attempt has a time limit of its own, and every failure
 * is classified once, before the breaker, the router and the retry see it.
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
  send<Value>(request: ChatRequest, read: (completion: ChatCompletion) => Value, options: SendOptions): Promise<Value> {
    const { retry, router } = this.#parts;
    const { signal, deadlineAtMs, priority, tokens, trace, retries = [] } = options;
    // Where an endpoint failed this call, another comes first.
    const avoid = new Set<string>();
    const body = new LazyBody(request, signal);
    const call: OngoingCall<Value> = { request, body, read, options, failedAt: avoid };
    const job: RouteJob = { model: request.model, tokens, priority, signal, deadlineAtMs, avoid };
    const attempt = async (leg: RouteLeg<EndpointTarget>): Promise<Value> => {
      try {
        return await leg.target.guard(leg.model, (breakerSignal) => this.#attempt(call, leg, breakerSignal));
      } catch (error) {
        avoid.add(leg.endpoint);
        throw error;
      }
    };
    const route = async () => {
      let endWait = trace.waits();
      try {
        return await router.run(job, async (leg) => {
          endWait();
          try {
            return await attempt(leg);
          } catch (error) {
            // Not with an end of its own: whoever looks at the calls in line would end it for another reason.
            if (waitsAgain(error)) endWait = trace.waits();
            throw error;
          }
        });
      } finally {
        endWait();
      }
    };
    return retry.run(route, {
      signal,
      deadlineAtMs,
      // Backoff is for who asks the same one again: one that has not failed this call is asked at once.
      isPaced: () => avoid.size > 0 && router.hasOtherFor(job),
      heldBackMs: () => router.waitMsFor(job),
      retriesMade: retries.length === 0 ? 0 : Math.min(...retries.map(({ made }) => made)),
      onRetry: ({ delayMs }) => {
        for (const tally of retries) tally.made += 1;
        trace.retries(delayMs);
      },
      onGiveUp: ({ reason }) => trace.givesUp(reason),
    });
  }

  async #attempt<Value>(
    call: OngoingCall<Value>,
    leg: RouteLeg<EndpointTarget>,
    breakerSignal: AbortSignal | undefined,
  ): Promise<Value> {
    const { attemptTimeoutMs, clock, onAnswer, onLimits, onAttempt } = this.#parts;
    const { request, body, read, options } = call;
    const { signal, priority, timeoutMs, trace } = options;
    const { connections, dialect, address } = leg.target;
    const attempt = trace.beginAttempt(leg.endpoint, { model: leg.model });
    const child = childController(signal, breakerSignal);
    let timer: ReturnType<Clock['setTimeout']> | undefined;
    let sender: OpenAI | undefined;
    try {
      const value = await connections.use(
        async (client) => {
          sender = client;
          const form = dialect.formFor(leg.model, request);
          await body.encodedAs(form, dialect);
          attempt.connected();
          const expire = () => child.abort(new TimeoutError('an attempt', attemptTimeoutMs));
          timer = clock.setTimeout(expire, attemptTimeoutMs);
          leg.sent();
          const { completion, headers } = await exchange(client, call, dialect, form, attempt, child.signal);
          attempt.answered(shortTokenOf(headerOf(headers, 'x-request-id'), [client.apiKey ?? '']));
          leg.answered(answerReport(request, completion, headers, address));
          // By the model that was asked for: an endpoint may have a name of its own for it.
          onLimits(request.model, headers, false, leg.endpoint);
          onAnswer(completion);
          return read(completion);
        },
        { signal: child.signal, priority },
      );
      attempt.succeeded();
      onAttempt('success');
      return value;
    } catch (error) {
      if (error instanceof AnswerError) takeBill(error, read, onAnswer);
      const { status, headers } = (error ?? {}) as { readonly status?: unknown; readonly headers?: unknown };
      if (headers !== undefined) leg.limited({ limits: rateLimitOf(headers) });
      if (status === 429) onLimits(request.model, headers, true, leg.endpoint);
      const failure = this.#endAttempt(
        attempt,
        error,
        {
          hasImageUrl: hasImageUrl(request.messages),
          secrets: () => requestSecrets(request, [sender?.apiKey, ...leg.target.secrets]),
        },
        signal,
        child.signal,
        Math.min(timeoutMs, attemptTimeoutMs),
      );
      if (wasUnsent(failure)) leg.unsent();
      throw failure;
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer);
      child.detach();
    }
  }

  #endAttempt(
    attempt: AttemptTrace,
    error: unknown,
    sent: SentRequest,
    signal: AbortSignal,
    attemptSignal: AbortSignal,
    patienceMs: number,
  ): Error {
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
    const thrown: unknown = attemptSignal.aborted ? attemptSignal.reason : error;
    const failure = classifyFailure(thrown, sent);
    attempt.failed(failure);
    this.#parts.onAttempt('failure', failure);
    return failure;
  }
}

/**
 * An error may have broken an answer off that was billed. Who reads it takes the bill; what is wrong with it is known.
 */
function takeBill(
  { completion }: AnswerError,
  read: (completion: ChatCompletion) => unknown,
  onAnswer: UpstreamCallerParts['onAnswer'],
): void {
  if (completion === undefined) return;
  onAnswer(completion as ChatCompletion);
  try {
    read(completion as ChatCompletion);
  } catch {
    // Its own error says more.
  }
}

/**
 * Sends a request in the form that its server takes, and once more for each parameter that the server refuses by name.
 * It is one attempt: the server judged how the request is written, and did nothing else.
 */
async function exchange(
  client: OpenAI,
  { request, body, failedAt }: OngoingCall<unknown>,
  dialect: EndpointDialect,
  initial: RequestForm,
  { clientRequestId }: AttemptTrace,
  signal: AbortSignal,
): Promise<ChatAnswer> {
  let form = initial;
  for (;;) {
    const encoded = await body.encodedAs(form, dialect);
    try {
      // Resent once a call: the retries of the call and of its connections would multiply.
      const resends = failedAt.size === 0;
      const answer = await sendChat(client, request, { encoded, clientRequestId, resends, signal });
      dialect.accepted(form);
      return answer;
    } catch (error) {
      const next = signal.aborted ? undefined : dialect.formAfter(error, request, form);
      if (next === undefined) throw error;
      form = next;
    }
  }
}

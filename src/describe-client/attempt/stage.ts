import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { AnswerFacts } from '../../batch-processor/packs/answer.ts';
import type { VisionUsage } from '../../batch-processor/packs/vision-usage.ts';
import type { ChildController } from '../../internal/async/signals.ts';
import type { EncodedRequest } from '../../openai/exchange/encode-request.ts';
import type { EndpointDialect, RequestForm } from '../../openai/exchange/request-dialect.ts';
import type { RouteJob } from '../../routing/index.ts';
import type { AttemptReport } from '../../routing/quota/attempt-report.ts';
import type { RoutePlace } from '../../routing/router/endpoint.ts';
import type { EndWait } from '../packing/packing-advisor.ts';
import type { AttemptSink } from './call-trace.ts';

export type ChatRequest = ChatCompletionCreateParamsNonStreaming;

/** The part of a connection pool that a call needs. */
export interface ConnectionSource {
  use<Value>(
    run: (client: OpenAI) => Promise<Value>,
    options: { readonly signal: AbortSignal; readonly priority: number },
  ): Promise<Value>;
}

/** The part of a circuit breaker that an attempt needs. */
export interface BreakerPort {
  /** Runs an attempt, with a signal where the breaker may give it up, unless the circuit is open. */
  fire(run: (breakerSignal: AbortSignal | undefined) => Promise<unknown>): Promise<unknown>;
}

/** The parts that an endpoint's calls go through. */
export interface EndpointTarget {
  readonly connections: ConnectionSource;
  /** The breaker of a model; none with breakers off. */
  readonly breakers: { of(model: string): BreakerPort | undefined };
  /** How its server takes requests. */
  readonly dialect: EndpointDialect;
  /** Where it is: an organisation has limits of its own at each address. */
  readonly address: string;
  /** Secrets that it is sent beside the key, and that no error may repeat. */
  readonly secrets: readonly string[];
}

/** Retries that were made. */
export interface RetryTally {
  made: number;
}

/** One request that is to be sent. */
export interface OutgoingCall extends RouteJob {
  readonly request: ChatRequest;
  /** The request as it is sent, encoded once for all attempts. */
  readonly body: { encodedAs(form: RequestForm, dialect: EndpointDialect): Promise<EncodedRequest> };
  /** Takes from an answer what is wanted of it, and throws where that is missing. */
  readonly read: (completion: ChatCompletion, facts: PricedFacts) => unknown;
  readonly timeoutMs: number;
  readonly trace: Omit<AttemptSink, 'waits'>;
  /** Begins a wait in a queue of this process; the function returned ends it. */
  readonly waits: () => EndWait;
  /** Retries so far of the calls that this is sent for: the fewest count. Those of this request are added to each. */
  readonly retries: readonly RetryTally[];
  /** Names of the endpoints that have failed it; the route stage adds to them. */
  readonly avoid: Set<string>;
}

/** A call at the endpoint that it was given to. */
export interface RoutedCall extends OutgoingCall {
  readonly place: RoutePlace<EndpointTarget>;
  /** Ends the attempt when the breaker gives it up; absent where it will not. */
  readonly breakerSignal?: AbortSignal | undefined;
}

/** A call with a connection of its own. */
export interface ConnectedCall extends RoutedCall {
  readonly client: OpenAI;
  /** Ends the attempt, by whichever of its limits comes first. */
  readonly attempt: ChildController;
  readonly clientRequestId: string;
}

/** The tokens that an answer was billed, and their price; neither where it is unknown. */
export interface BilledAnswer {
  readonly usage?: VisionUsage | undefined;
  readonly costUsd?: number | undefined;
}

/** The facts that an answer tells beside its text, with the price of its tokens. */
export type PricedFacts = AnswerFacts & BilledAnswer;

/** The report of an exchange, however it ended. */
export interface ExchangeReport extends AttemptReport, BilledAnswer {
  readonly requestId?: string | undefined;
}

export interface Answer extends ExchangeReport {
  /** The value that `read` returned. */
  readonly value: unknown;
}

export type Next<Call> = (call: Call) => Promise<Answer>;

/**
 * One step of an attempt. It knows the next step only as a function, and learns from its answer or from the
 * `AttemptFailure` that it rejects with. It settles when that answer has ended.
 */
export type Stage<Call, Passed = Call> = (call: Call, next: Next<Passed>) => Promise<Answer>;

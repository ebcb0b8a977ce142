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
import type { DeltaLog } from './delta-log.ts';

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
  /** Runs an attempt, unless the circuit is open. Passes a signal where the breaker may give the attempt up. */
  fire(run: (breakerSignal: AbortSignal | undefined) => Promise<unknown>): Promise<unknown>;
}

/** The parts that an endpoint's calls go through. */
export interface EndpointTarget {
  readonly connections: ConnectionSource;
  /** The breaker of a model; none with breakers off. */
  readonly breakers: { of(model: string): BreakerPort | undefined };
  /** The form in which its server takes requests. */
  readonly dialect: EndpointDialect;
  /** Its address: an organisation has separate limits at each address. */
  readonly address: string;
  /** Secrets that it gets besides the key. No error may repeat them. */
  readonly secrets: readonly string[];
}

/** Retries that were made. */
export interface RetryTally {
  made: number;
}

/** One request to send. */
export interface OutgoingCall extends RouteJob {
  readonly request: ChatRequest;
  /** The request as it is sent, encoded once for all attempts. */
  readonly body: {
    encodedAs(request: ChatRequest, form: RequestForm, dialect: EndpointDialect): Promise<EncodedRequest>;
  };
  /** Reads the wanted part of an answer, and throws where that is missing. */
  readonly read: (completion: ChatCompletion, facts: PricedFacts) => unknown;
  readonly timeoutMs: number;
  readonly trace: Omit<AttemptSink, 'waits'>;
  /** Begins a wait in a queue of this process. The returned function ends it. */
  readonly waits: () => EndWait;
  /**
   * Retries so far of the calls in this request. The lowest number counts. The retries of this request are added to
   * each.
   */
  readonly retries: readonly RetryTally[];
  /** Gets the text of a streamed answer as it arrives; undefined for an answer that is read whole. */
  readonly deltas?: DeltaLog | undefined;
  /** Names of the endpoints that have failed it; the route stage adds to them. */
  readonly avoid: Set<string>;
}

/** A call with the endpoint that it was given to. */
export interface RoutedCall extends OutgoingCall {
  readonly place: RoutePlace<EndpointTarget>;
  /** Aborts when the breaker gives up the attempt; absent where it will not. */
  readonly breakerSignal?: AbortSignal | undefined;
}

/** A call with a connection of its own. */
export interface ConnectedCall extends RoutedCall {
  readonly client: OpenAI;
  /** Ends the attempt at the first of its limits. */
  readonly attempt: ChildController;
  readonly clientRequestId: string;
}

/** The billed tokens of an answer, and their price; each is absent where it is unknown. */
export interface BilledAnswer {
  readonly usage?: VisionUsage | undefined;
  readonly costUsd?: number | undefined;
}

/** Everything that an answer reports beside its text, with the price of its tokens. */
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
 * One step of an attempt. It knows the next step only as a function, and learns from its answer, or from the
 * `AttemptFailure` with which it rejects. It settles when that answer has ended.
 */
export type Stage<Call, Passed = Call> = (call: Call, next: Next<Passed>) => Promise<Answer>;

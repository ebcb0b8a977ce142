import { randomUUID } from 'node:crypto';
import type { AttemptRecord, FallbackRecord, RetryGiveUpReason } from '../../errors/call-explanation.ts';
import type { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { Clock } from '../../internal/clock.ts';
import { CallBill } from '../call/call-outcome.ts';
import type { CallExplanation } from '../call/describe-result.ts';

/** Details of an attempt that are known when it begins. */
export interface AttemptDetails {
  /** The model that is asked. */
  readonly model?: string | undefined;
}

/** Records the story of a request. */
export interface AttemptSink {
  /** Starts an attempt; exactly one of `succeeded`, `failed` and `aborted` ends it. */
  beginAttempt(endpoint: string, details?: AttemptDetails): AttemptTrace;
  /** Begins a wait in a queue of this process; the first call of the function returned ends it. */
  waits(): () => void;
  /** The retry waits before the next attempt. */
  retries(delayMs: number): void;
  /** The retry makes no further attempt. */
  givesUp(reason: RetryGiveUpReason): void;
}

/** Records the story of one call, for `explain`. */
export class CallTrace implements AttemptSink {
  readonly bill = new CallBill();
  readonly #clock: Clock;
  readonly startedAtMs: number;
  readonly #attempts: AttemptRecord[] = [];
  readonly #fallbacks: FallbackRecord[] = [];
  readonly #ongoing = new Set<OngoingAttempt>();
  /** Waits that still go on, and the sum of when they began. */
  readonly #openWaits = { count: 0, sinceMs: 0 };
  #endQueue: (() => void) | undefined;
  #queueMs = 0;
  #poolMs = 0;
  #upstreamMs = 0;
  #retryMs = 0;
  #retry = { sinceMs: 0, delayMs: 0 };
  #batchSize = 0;
  #gaveUp: RetryGiveUpReason | undefined;

  constructor(clock: Clock, startedAtMs = clock.now()) {
    this.#clock = clock;
    this.startedAtMs = startedAtMs;
  }

  beginAttempt(endpoint: string, details: AttemptDetails = {}, id?: string): AttemptTrace {
    this.#gaveUp = undefined;
    const attempt: OngoingAttempt = new OngoingAttempt(
      endpoint,
      details,
      this.#clock,
      id ?? randomUUID(),
      (outcome, error) => {
        this.#ongoing.delete(attempt);
        this.#attempts.push(attempt.record(outcome, error));
        this.#poolMs += attempt.poolMs;
        this.#upstreamMs += attempt.onWireMs;
      },
    );
    this.#ongoing.add(attempt);
    return attempt;
  }

  waits(): () => void {
    const sinceMs = this.#clock.now();
    const open = this.#openWaits;
    open.count += 1;
    open.sinceMs += sinceMs;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      open.count -= 1;
      open.sinceMs -= sinceMs;
      this.#queueMs += this.#clock.now() - sinceMs;
    };
  }

  retries(delayMs: number): void {
    this.#retryMs += this.#retriedMs();
    this.#retry = { sinceMs: this.#clock.now(), delayMs };
  }

  givesUp(reason: RetryGiveUpReason): void {
    this.#gaveUp = reason;
  }

  /** A fallback was tried. */
  fallsBack(record: FallbackRecord): void {
    this.#fallbacks.push(Object.freeze(record));
  }

  /** The image begins to wait for its batch. */
  queued(): void {
    this.#endQueue?.();
    this.#endQueue = this.waits();
  }

  /** A request for this image and `batchSize - 1` others leaves now. */
  leaves(batchSize: number): void {
    this.#endQueue?.();
    this.#endQueue = undefined;
    this.#batchSize = batchSize;
  }

  explain(): CallExplanation {
    const nowMs = this.#clock.now();
    const { count, sinceMs } = this.#openWaits;
    const queueMs = this.#queueMs + (count === 0 ? 0 : count * nowMs - sinceMs);
    let poolMs = this.#poolMs;
    let upstreamMs = this.#upstreamMs;
    for (const attempt of this.#ongoing) {
      poolMs += attempt.poolMs;
      upstreamMs += attempt.onWireMs;
    }
    // A call that ends by its deadline is explained before the attempt that it cuts off has ended.
    const cutOff = [...this.#ongoing].map((attempt) => attempt.record('aborted'));
    const explanation: CallExplanation = {
      totalMs: nowMs - this.startedAtMs,
      queueMs,
      poolMs,
      upstreamMs,
      retryMs: this.#retryMs + this.#retriedMs(),
      attempts: Object.freeze([...this.#attempts, ...cutOff]),
      batchSize: this.#batchSize,
      ...(this.#gaveUp === undefined ? {} : { gaveUp: this.#gaveUp }),
      ...(this.#fallbacks.length === 0 ? {} : { fallbacks: Object.freeze([...this.#fallbacks]) }),
    };
    return Object.freeze(explanation);
  }

  /** Milliseconds of the last wait between attempts; the call may have ended before the wait did. */
  #retriedMs(): number {
    return Math.min(this.#retry.delayMs, this.#clock.now() - this.#retry.sinceMs);
  }
}

/** Records the story of a shared request for every call that shares it: one attempt with one id. */
export const sharedSink = (traces: readonly CallTrace[]): AttemptSink => ({
  beginAttempt: (endpoint, details) => {
    const clientRequestId = randomUUID();
    const attempts = traces.map((trace) => trace.beginAttempt(endpoint, details, clientRequestId));
    return {
      clientRequestId,
      connected: () => attempts.forEach((attempt) => void attempt.connected()),
      answered: (requestId) => attempts.forEach((attempt) => void attempt.answered(requestId)),
      succeeded: () => attempts.forEach((attempt) => void attempt.succeeded()),
      failed: (error) => attempts.forEach((attempt) => void attempt.failed(error)),
      aborted: () => attempts.forEach((attempt) => void attempt.aborted()),
      get onWireMs() {
        return attempts[0]?.onWireMs ?? 0;
      },
    };
  },
  waits: () => {
    const ends = traces.map((trace) => trace.waits());
    return () => ends.forEach((end) => void end());
  },
  retries: (delayMs) => traces.forEach((trace) => void trace.retries(delayMs)),
  givesUp: (reason) => traces.forEach((trace) => void trace.givesUp(reason)),
});

/** One attempt on its way. */
export interface AttemptTrace {
  /** Unique to this attempt; to be sent as `X-Client-Request-Id`. */
  readonly clientRequestId: string;
  /** A connection was lent: from here on the call waits for the API. */
  connected(): void;
  /** The API answered and named the request, even where the answer is of no use. */
  answered(requestId: string | undefined): void;
  succeeded(): void;
  failed(error: DescribeError): void;
  aborted(): void;
  /** How long the call has waited for the API, in milliseconds. */
  readonly onWireMs: number;
}

type AttemptEnd = (outcome: AttemptRecord['outcome'], error?: DescribeError) => void;

class OngoingAttempt implements AttemptTrace {
  readonly clientRequestId: string;
  readonly #endpoint: string;
  readonly #details: AttemptDetails;
  readonly #clock: Clock;
  readonly #ended: AttemptEnd;
  readonly #startedAtMs: number;
  #connectedAtMs: number | undefined;
  #requestId: string | undefined;

  constructor(endpoint: string, details: AttemptDetails, clock: Clock, id: string, ended: AttemptEnd) {
    this.clientRequestId = id;
    this.#endpoint = endpoint;
    this.#details = details;
    this.#clock = clock;
    this.#ended = ended;
    this.#startedAtMs = clock.now();
  }

  get onWireMs(): number {
    return this.#connectedAtMs === undefined ? 0 : this.#clock.now() - this.#connectedAtMs;
  }

  connected(): void {
    this.#connectedAtMs = this.#clock.now();
  }

  answered(requestId: string | undefined): void {
    this.#requestId = requestId;
  }

  succeeded(): void {
    this.#ended('success');
  }

  failed(error: DescribeError): void {
    this.#ended('failure', error);
  }

  aborted(): void {
    this.#ended('aborted');
  }

  /** Milliseconds that it waited for its connection, or has so far. */
  get poolMs(): number {
    return (this.#connectedAtMs ?? this.#clock.now()) - this.#startedAtMs;
  }

  /** Its record, as if it ended now. */
  record(outcome: AttemptRecord['outcome'], error?: DescribeError): AttemptRecord {
    const { model } = this.#details;
    const { status, retryAfterMs, requestId = this.#requestId } = (error ?? {}) as ErrorDetails;
    const record: AttemptRecord = {
      endpoint: this.#endpoint,
      ...(model === undefined ? {} : { model }),
      outcome,
      durationMs: this.#clock.now() - this.#startedAtMs,
      clientRequestId: this.clientRequestId,
      ...(requestId === undefined ? {} : { requestId }),
      ...(error === undefined ? {} : { code: error.code, scope: failureMeaning(error).scope }),
      ...(status === undefined ? {} : { status }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    return Object.freeze(record);
  }
}

interface ErrorDetails {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
}

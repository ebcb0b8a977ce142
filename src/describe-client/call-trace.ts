import type { DescribeError } from '../errors/describe-error.ts';
import type { Clock } from '../internal/clock.ts';
import type { AttemptRecord, CallExplanation } from './describe-result.ts';

/** Where the attempts of a request are written down. */
export interface AttemptSink {
  /** Starts an attempt; exactly one of `succeeded`, `failed` and `aborted` ends it. */
  beginAttempt(endpoint: string): AttemptTrace;
}

/** Collects what happened to one call, for `explain`. */
export class CallTrace implements AttemptSink {
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  readonly #attempts: AttemptRecord[] = [];
  #queuedAtMs: number | undefined;
  #queueMs = 0;
  #poolMs = 0;
  #upstreamMs = 0;
  #batchSize = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = clock.now();
  }

  beginAttempt(endpoint: string): AttemptTrace {
    const clock = this.#clock;
    const startedAtMs = clock.now();
    let connectedAtMs: number | undefined;
    const end = (outcome: AttemptRecord['outcome'], error?: DescribeError) => {
      const nowMs = clock.now();
      this.#poolMs += (connectedAtMs ?? nowMs) - startedAtMs;
      if (connectedAtMs !== undefined) this.#upstreamMs += nowMs - connectedAtMs;
      const { status, retryAfterMs } = (error ?? {}) as {
        readonly status?: number;
        readonly retryAfterMs?: number;
      };
      this.#attempts.push({
        endpoint,
        outcome,
        durationMs: nowMs - startedAtMs,
        ...(error === undefined ? {} : { code: error.code }),
        ...(status === undefined ? {} : { status }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    };
    return {
      connected: () => {
        connectedAtMs = clock.now();
      },
      succeeded: () => end('success'),
      failed: (error) => end('failure', error),
      aborted: () => end('aborted'),
      get onWireMs() {
        return connectedAtMs === undefined ? 0 : clock.now() - connectedAtMs;
      },
    };
  }

  /** The image begins to wait for its batch. */
  queued(): void {
    this.#queuedAtMs = this.#clock.now();
  }

  /** A request for this image and `batchSize - 1` others leaves now. */
  leaves(batchSize: number): void {
    if (this.#queuedAtMs !== undefined) this.#queueMs += this.#clock.now() - this.#queuedAtMs;
    this.#queuedAtMs = undefined;
    this.#batchSize = batchSize;
  }

  explain(): CallExplanation {
    const explanation: CallExplanation = {
      totalMs: this.#clock.now() - this.#startedAtMs,
      queueMs: this.#queueMs,
      poolMs: this.#poolMs,
      upstreamMs: this.#upstreamMs,
      attempts: Object.freeze([...this.#attempts]),
      batchSize: this.#batchSize,
    };
    return Object.freeze(explanation);
  }
}

/** Writes the attempts of a shared request down for every call that shares it. */
export const sharedSink = (traces: readonly CallTrace[]): AttemptSink => ({
  beginAttempt: (endpoint) => {
    const attempts = traces.map((trace) => trace.beginAttempt(endpoint));
    return {
      connected: () => attempts.forEach((attempt) => void attempt.connected()),
      succeeded: () => attempts.forEach((attempt) => void attempt.succeeded()),
      failed: (error) => attempts.forEach((attempt) => void attempt.failed(error)),
      aborted: () => attempts.forEach((attempt) => void attempt.aborted()),
      get onWireMs() {
        return attempts[0]?.onWireMs ?? 0;
      },
    };
  },
});

/** One attempt on its way. */
export interface AttemptTrace {
  /** A connection was lent: from here on the API is waited for. */
  connected(): void;
  succeeded(): void;
  failed(error: DescribeError): void;
  aborted(): void;
  /** How long the API has been waited for, in milliseconds. */
  readonly onWireMs: number;
}

import type { ErrorCode } from './error-code.ts';

/**
 * Why there is no further attempt: the error is `final`, or the `attempts` of its class are used up. Otherwise the
 * user's `shouldRetry` `declined`, no attempt could end before the `deadline`, or the retry `budget` has no retry left.
 */
export type RetryGiveUpReason = 'final' | 'attempts' | 'declined' | 'deadline' | 'budget';

/** One request to the API. */
export interface AttemptRecord {
  /** Name of the endpoint. */
  readonly endpoint: string;
  /** The model of the request, where the attempt knows it: an endpoint may use another one than the request names. */
  readonly model?: string;
  readonly outcome: 'success' | 'failure' | 'aborted';
  /** Milliseconds from the start of the attempt to its end, the wait for a connection included. */
  readonly durationMs: number;
  /**
   * Our own id of the request, sent as `X-Client-Request-Id`. OpenAI's support finds a request by it, also one that
   * was never answered.
   */
  readonly clientRequestId: string;
  /** The API's id of the request, once it answered. */
  readonly requestId?: string;
  readonly code?: ErrorCode;
  /** The scope of the failure. `process` is a limit of this process. */
  readonly scope?: 'item' | 'key' | 'model' | 'quota-group' | 'endpoint' | 'process';
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/** One fallback that was tried after a failure, in the order of the option `fallback`. */
export interface FallbackRecord {
  readonly kind: 'model' | 'stale' | 'function';
  /** The model that was used, for the kind `model`. */
  readonly model?: string;
  /** `none`: there was no stale entry, or no time. */
  readonly outcome: 'success' | 'failure' | 'none';
  readonly code?: ErrorCode;
}

/** The explanation of a call. Frozen and JSON-safe. */
export interface CallExplanation {
  /** The whole call, in milliseconds. */
  readonly totalMs: number;
  /** Milliseconds of waiting in queues of this process: for admission, for a batch, for a limit. */
  readonly queueMs: number;
  /** Milliseconds of waiting for a connection, over all attempts. */
  readonly poolMs: number;
  /** Milliseconds of waiting for the API, over all attempts. */
  readonly upstreamMs: number;
  /** Milliseconds of waiting between attempts. */
  readonly retryMs: number;
  /** One record for each request; empty when the call caused none. */
  readonly attempts: readonly AttemptRecord[];
  /** Images that shared the request; 0 when there was none. */
  readonly batchSize: number;
  /** Why there was no further attempt, where the last one failed. */
  readonly gaveUp?: RetryGiveUpReason;
  /** The fallbacks that were tried; absent where there was none. */
  readonly fallbacks?: readonly FallbackRecord[];
}

import type { ErrorCode } from './error-code.ts';

/**
 * Why there is no further attempt: the error is `final`, the `attempts` of its class are used up, no attempt could end
 * before the `deadline`, or the retry `budget` has no retry left.
 */
export type RetryGiveUpReason = 'final' | 'attempts' | 'deadline' | 'budget';

/** One request to the API. */
export interface AttemptRecord {
  /** Name of the endpoint. */
  readonly endpoint: string;
  /** The model that was asked, where it is known to the attempt: an endpoint may have one of its own. */
  readonly model?: string;
  readonly outcome: 'success' | 'failure' | 'aborted';
  /** From the start of the attempt to its end, in milliseconds, the wait for a connection included. */
  readonly durationMs: number;
  /**
   * Our own id of the request, sent as `X-Client-Request-Id`: OpenAI's support finds a request by it that was never
   * answered.
   */
  readonly clientRequestId: string;
  /** The API's id of the request, once it answered. */
  readonly requestId?: string;
  readonly code?: ErrorCode;
  /**
   * What the failure is about: the item, the key, the model, the quota group, the endpoint, or a bound of this process.
   */
  readonly scope?: 'item' | 'key' | 'model' | 'quota-group' | 'endpoint' | 'process';
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/** One way out that was tried after a failure, in the order given by the option `fallback`. */
export interface FallbackRecord {
  readonly kind: 'model' | 'stale' | 'function';
  /** The model that was asked, of kind `model`. */
  readonly model?: string;
  /** `none`: there was no stale entry, or no time. */
  readonly outcome: 'success' | 'failure' | 'none';
  readonly code?: ErrorCode;
}

/** The story of a call. Frozen and JSON-safe. */
export interface CallExplanation {
  /** The whole call, in milliseconds. */
  readonly totalMs: number;
  /** Waiting in lines of this process, in milliseconds: for room in memory, for a batch, for a limit. */
  readonly queueMs: number;
  /** Waiting for a connection, in milliseconds, over all attempts. */
  readonly poolMs: number;
  /** Waiting for the API, in milliseconds, over all attempts. */
  readonly upstreamMs: number;
  /** Waiting between attempts, in milliseconds. */
  readonly retryMs: number;
  /** Empty when the call caused no request. */
  readonly attempts: readonly AttemptRecord[];
  /** Images that shared the request; 0 when there was none. */
  readonly batchSize: number;
  /** Why the last attempt was the last, where it failed. */
  readonly gaveUp?: RetryGiveUpReason;
  /** What was tried in place of the request that failed; absent where nothing was. */
  readonly fallbacks?: readonly FallbackRecord[];
}

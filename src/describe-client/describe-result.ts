import type { VisionUsage } from '../batch-processor/index.ts';
import type { ErrorCode } from '../errors/error-code.ts';

/**
 * Where a description came from: a call of the API, the memory or Redis tier of the cache, an expired entry that
 * stood in for a failed call, or another call of this process for the same thing.
 */
export type DescriptionSource = 'upstream' | 'memory' | 'redis' | 'stale' | 'shared';

/** One request to the API. */
export interface AttemptRecord {
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly outcome: 'success' | 'failure' | 'aborted';
  /** From the start of the attempt to its end, in milliseconds, the wait for a connection included. */
  readonly durationMs: number;
  readonly code?: ErrorCode;
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/** Where the time of a call went. */
export interface CallExplanation {
  /** The whole call, in milliseconds. */
  readonly totalMs: number;
  /** Waiting in a batch, in milliseconds. */
  readonly queueMs: number;
  /** Waiting for a connection, in milliseconds, over all attempts. */
  readonly poolMs: number;
  /** Waiting for the API, in milliseconds, over all attempts. */
  readonly upstreamMs: number;
  /** Empty when the call caused no request. */
  readonly attempts: readonly AttemptRecord[];
  /** Images that shared the request; 0 when there was none. */
  readonly batchSize: number;
}

/** One described image. */
export interface DescribeResult<Data = unknown> {
  /** The text of the answer; with a `schema`, its JSON text. */
  readonly description: string;
  /** The parsed answer, with a `schema` only. */
  readonly data?: Data;
  /** The model that answered, as the API names it. */
  readonly model: string;
  readonly source: DescriptionSource;
  /** What this call caused; absent when it caused nothing. */
  readonly usage?: VisionUsage;
  /** Price of `usage` in US dollars, what came from the API's own prompt cache at its lower price; absent for a model whose price is unknown. */
  readonly costUsd?: number;
  /** The API's id of the request. */
  readonly requestId?: string;
  readonly metadata?: unknown;
  readonly explain: CallExplanation;
}

import type { VisionUsage } from '../../batch-processor/index.ts';
import type { CallExplanation } from '../../errors/call-explanation.ts';

export type { AttemptRecord, CallExplanation } from '../../errors/call-explanation.ts';

/**
 * Where a description came from: a call of the API, the memory or Redis tier of the cache, an expired entry that
 * stood in for a failed call, another call of this process for the same thing, or your own `fallback` function.
 */
export type DescriptionSource = 'upstream' | 'memory' | 'redis' | 'stale' | 'shared' | 'fallback';

/** One described image. */
export interface DescribeResult<Data = unknown> {
  /** The text of the answer; with a `schema`, its JSON text. */
  readonly description: string;
  /** The parsed answer, with a `schema` only. */
  readonly data?: Data;
  /** The model that answered, as the API names it; `'fallback'` for a fallback function that names none. */
  readonly model: string;
  readonly source: DescriptionSource;
  /** What this call caused; absent when it caused nothing. */
  readonly usage?: VisionUsage;
  /**
   * Price of `usage` in US dollars, what came from the API's own prompt cache at its lower price; absent for a model
   * whose price is unknown.
   */
  readonly costUsd?: number;
  /** The API's id of the request. */
  readonly requestId?: string;
  readonly metadata?: unknown;
  readonly explain: CallExplanation;
}

/** The result of a request with a `schema`. */
export interface StructuredResult<Data = unknown> extends DescribeResult<Data> {
  readonly data: Data;
}

import type { VisionUsage } from '../../batch-processor/index.ts';
import type { CallExplanation } from '../../errors/call-explanation.ts';

export type { AttemptRecord, CallExplanation } from '../../errors/call-explanation.ts';

/**
 * Where a description came from.
 * - `upstream`: the API
 * - `memory`, `redis`: a tier of the cache
 * - `stale`: a stale entry, in place of a failed call
 * - `shared`: another call of this process
 * - `fallback`: your own function
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
  /** Tokens that this call caused; absent when it caused none. */
  readonly usage?: VisionUsage;
  /**
   * Price of `usage` in US dollars, with the API's lower price for cached prompts. Absent for a model whose price is
   * unknown.
   */
  readonly costUsd?: number;
  /** The output limit cut the text off. Only with `onTruncated: 'return'`, and absent for a whole text. */
  readonly truncated?: true;
  /** The API's id of the request. */
  readonly requestId?: string;
  readonly metadata?: unknown;
  readonly explain: CallExplanation;
}

/** The result of a request with a `schema`. */
export interface StructuredResult<Data = unknown> extends DescribeResult<Data> {
  readonly data: Data;
}

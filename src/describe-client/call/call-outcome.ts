import { parsedBy, parseFailure } from '../../batch-processor/packs/pack-answer.ts';
import type { CallExplanation } from '../../errors/call-explanation.ts';
import { type Billed, copyError, setBilled } from '../../errors/copy-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import type { DescribeSchema } from '../schema/schema-source.ts';
import type { DescribeResult, DescriptionSource } from './describe-result.ts';

/** The part of an answer that is worth caching. */
export interface CachedDescription {
  readonly description: string;
  readonly model: string;
}

/** The rest of an answer is only for the call that caused it. */
interface CausedAnswer extends CachedDescription {
  /** The parsed answer, with a schema only. */
  readonly data?: unknown;
  readonly requestId?: string | undefined;
}

/** Whether a cached value is a description. Another version or another program may have written it. */
export const isCachedDescription = (value: unknown): value is CachedDescription => {
  const { description, model } = (value ?? {}) as Partial<CachedDescription>;
  return typeof description === 'string' && description !== '' && typeof model === 'string';
};

/** The description for one call, and the answer that the call caused. */
export interface Obtained {
  readonly cached: CachedDescription;
  readonly source: DescriptionSource;
  /** The answer that this very call caused; undefined when it caused none. */
  readonly caused: CausedAnswer | undefined;
  /** The output limit cut the description off. */
  readonly truncated?: true;
  /** The failure that a stale entry replaces; absent where it was another call's. */
  readonly failure?: unknown;
}

const FAILED_BEFORE =
  'the API failed for this image a moment ago, and is asked again only after some seconds. Try again then.';

/** The reason for a stale entry. The failure itself may be another call's, or some seconds old. */
export const failureBehind = ({ failure }: Obtained): unknown =>
  failure ?? new UpstreamError('DESCRIBE_UPSTREAM', FAILED_BEFORE, { retryable: true });

/** The result that the caller gets. */
export function buildResult<Data>(
  { schema, metadata }: NormalisedRequest<Data>,
  { cached, source, caused, truncated }: Obtained,
  billed: Billed,
  explain: CallExplanation,
): DescribeResult<Data> {
  const { requestId } = caused ?? {};
  return {
    description: cached.description,
    ...(schema === undefined
      ? {}
      : { data: caused === undefined ? dataOf(cached.description, schema) : (caused.data as Data) }),
    model: cached.model,
    source,
    ...billed,
    ...(truncated === undefined ? {} : { truncated }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(metadata === undefined ? {} : { metadata }),
    explain,
  };
}

function dataOf<Data>(description: string, { parse }: DescribeSchema<Data>): Data {
  try {
    return parsedBy(parse, JSON.parse(description));
  } catch (thrown) {
    throw parseFailure(thrown);
  }
}

const NOTHING_HAPPENED = {
  totalMs: 0,
  queueMs: 0,
  poolMs: 0,
  upstreamMs: 0,
  retryMs: 0,
  attempts: Object.freeze([]),
  batchSize: 0,
} as const satisfies CallExplanation;

/** Explains a call that waited for nothing and made no request. */
export const explainAtOnce = (totalMs: number): CallExplanation => Object.freeze({ ...NOTHING_HAPPENED, totalMs });

interface FailedCall {
  /** Signals whose reason is passed on unchanged. */
  readonly signals?: readonly (AbortSignal | undefined)[];
  readonly billed?: Billed;
}

/**
 * The error that one caller gets, with the explanation and the bill of its own call. Several calls may fail with one
 * error object, as when they shared a request. The first gets that object, each later one a copy. A foreign error is
 * passed on unchanged: an abort rejects with the very reason that was given.
 */
export function explainError(
  error: unknown,
  explain: CallExplanation,
  { signals = [], billed = {} }: FailedCall = {},
): unknown {
  if (!DescribeError.is(error)) return error;
  if (signals.some((signal) => signal?.aborted && signal.reason === error)) return error;
  const own = Object.hasOwn(error, 'explain') || !Object.isExtensible(error) ? copyError(error) : error;
  setBilled(own, billed);
  return Object.defineProperty(own, 'explain', { value: explain, configurable: true });
}

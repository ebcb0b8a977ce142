import type { CallExplanation } from '../../errors/call-explanation.ts';
import { type Billed, copyError, setBilled } from '../../errors/copy-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';

interface FailedCall {
  /** Where the error is the reason of one of these, it stays as it is. */
  readonly signals?: readonly (AbortSignal | undefined)[];
  readonly billed?: Billed;
}

/**
 * The error that one caller gets, with the story of its own call and what that was billed. Several calls may fail by
 * one error object (they shared a request, or a group that was stopped): the first is given that object, each later one
 * a copy. What is not ours stays as it is: an abort rejects with the very reason that was given.
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

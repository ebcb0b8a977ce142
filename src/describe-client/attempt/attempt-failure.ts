import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { neverConnected } from '../../internal/upstream/connection-failure.ts';

/** Whether a breaker counts an error. It counts outages only: no limits, keys, aborts or faults of the caller. */
export const countsForBreaker = (error: unknown): boolean =>
  DescribeError.is(error) && failureMeaning(error).countsForBreaker;

/** Whether an error is retried: another attempt may succeed, and this process did not refuse the call itself. */
export const isWorthAnotherAttempt = (error: unknown): boolean =>
  DescribeError.is(error) && error.retryable && failureMeaning(error).isRetried;

/** Whether the answer had no text because its output limit was too low. */
export const needsHigherLimit = (error: unknown): boolean =>
  isWorthAnotherAttempt(error) && failureMeaning(error as DescribeError).raisesLimit;

/** Whether the call's quota pauses after an error, which delays the next attempt already. */
export const isPacedByLimiter = (error: unknown): boolean =>
  DescribeError.is(error) && failureMeaning(error).kind === 'throttle';

/** Whether the error is about a limit or the credit. An outage or a bad image says nothing about them. */
export const tellsOfLimits = (error: unknown): boolean =>
  DescribeError.is(error) && ['throttle', 'quota'].includes(failureMeaning(error).kind);

/**
 * Whether a call with this failure waits again: the router may move it to another endpoint, or a limit refused it. A
 * refused call may then join another pack, without using the retry budget.
 */
export const waitsAgain = (error: unknown): boolean =>
  DescribeError.is(error) &&
  (neverConnected(error) || ['key', 'model', 'process', 'quota-group'].includes(failureMeaning(error).scope));

/** Whether the key could not be obtained: nothing was sent, and no server refused it. */
const hasNoKey = (failure: Error): boolean =>
  DescribeError.is(failure, 'DESCRIBE_AUTH') && (failure as { readonly status?: number }).status === undefined;

/** Whether the API never got the request. */
export const wasUnsent = (failure: Error): boolean => neverConnected(failure) || hasNoKey(failure);

import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { neverConnected } from '../../internal/upstream/connection-failure.ts';

/** Whether a breaker counts an error: outages only, neither limits nor keys, nor the caller's own faults and aborts. */
export const countsForBreaker = (error: unknown): boolean =>
  DescribeError.is(error) && failureMeaning(error).countsForBreaker;

/** Whether an error is retried: it may pass, and it was not this process that refused. */
export const isWorthAnotherAttempt = (error: unknown): boolean =>
  DescribeError.is(error) && error.retryable && failureMeaning(error).isRetried;

/** Whether the quota of the call pauses because of an error, and so holds back the next attempt by itself. */
export const isPacedByLimiter = (error: unknown): boolean =>
  DescribeError.is(error) && failureMeaning(error).kind === 'throttle';

/** Whether the API refused because of a limit or of the credit. An outage or a bad image tells nothing of them. */
export const tellsOfLimits = (error: unknown): boolean =>
  DescribeError.is(error) && ['throttle', 'quota'].includes(failureMeaning(error).kind);

/**
 * Whether a call that failed so waits again: the router may move it to another endpoint, or a limit refused it. A
 * refused call may then join another pack, at no cost of the budget for retries.
 */
export const waitsAgain = (error: unknown): boolean =>
  DescribeError.is(error) &&
  (neverConnected(error) || ['key', 'model', 'process', 'quota-group'].includes(failureMeaning(error).scope));

/** A key that could not be had: nothing was sent, and no server said it. */
const hasNoKey = (failure: Error): boolean =>
  DescribeError.is(failure, 'DESCRIBE_AUTH') && (failure as { readonly status?: number }).status === undefined;

/** Whether the API never got the request. */
export const wasUnsent = (failure: Error): boolean => neverConnected(failure) || hasNoKey(failure);

import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { neverConnected } from '../../internal/upstream/connection-failure.ts';

/**
 * Tells a breaker what counts: outages only. Throttles, quotas, wrong keys, the caller's own faults and aborts don't.
 */
export const countsForBreaker = (error: unknown): boolean =>
  DescribeError.is(error) && failureMeaning(error).countsForBreaker;

/** Tells what is retried: what may pass, and only where it was not this process that refused. */
export const isWorthAnotherAttempt = (error: unknown): boolean =>
  DescribeError.is(error) && error.retryable && failureMeaning(error).isRetried;

/** Throttles are paused for by the limiter of their quota group, which holds the next attempt back itself. */
export const isPacedByLimiter = (error: unknown): boolean =>
  DescribeError.is(error) && failureMeaning(error).kind === 'throttle';

/**
 * Tells whether a call that failed so waits again: the router may move it to another endpoint, or a limit refused it. A
 * refused call may then go in another pack, at no cost of the budget for retries.
 */
export const waitsAgain = (error: unknown): boolean =>
  DescribeError.is(error) &&
  (neverConnected(error) || ['key', 'model', 'process', 'quota-group'].includes(failureMeaning(error).scope));

/** A key that could not be had: nothing was sent, and no server said it. */
const hasNoKey = (failure: Error): boolean =>
  DescribeError.is(failure, 'DESCRIBE_AUTH') && (failure as { readonly status?: number }).status === undefined;

/** Tells whether the API never got the request. */
export const wasUnsent = (failure: Error): boolean => neverConnected(failure) || hasNoKey(failure);

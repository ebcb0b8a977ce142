import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { neverConnected } from '../../internal/upstream/connection-failure.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import type { Answer } from './stage.ts';

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

/**
 * Makes an attempt inside of a part that judges it, such as a breaker or a pool. The part sees the value or the bare
 * error; the report of the attempt is joined to the result of the part.
 */
export async function within<Given>(
  name: string,
  part: (run: (given: Given) => Promise<unknown>) => Promise<unknown>,
  attempt: (given: Given) => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer | undefined;
  let report: AttemptFailure['report'] = { sent: false };
  try {
    const value = await part(async (given) => {
      // A part may give the attempt up before it has ended.
      report = { sent: true };
      try {
        answer = await attempt(given);
        report = answer;
        return answer.value;
      } catch (thrown) {
        const failure = AttemptFailure.of(thrown);
        report = failure.report;
        throw failure.error;
      }
    });
    // A part of the user's may answer in place of the API; what it says is no description to keep.
    if (answer !== undefined && value === answer.value) return answer;
    throw new UpstreamError('DESCRIBE_RESPONSE_INVALID', `${name} answered in place of the API`, { status: 200 });
  } catch (error) {
    throw new AttemptFailure(error, report);
  }
}

import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { propertyOf } from '../../internal/property-of.ts';

/** The 4xx statuses that are evidence against the server: it waited too long (408), or a request conflicted (409). */
const FAILING_STATUSES: readonly number[] = [408, 409];

/**
 * The default of `isFailure`. Errors of this package are judged by the table of failures, others by their HTTP status.
 * Throttles and faults of the request are neutral.
 */
export function defaultIsFailure(error: unknown): boolean {
  if (DescribeError.is(error)) return failureMeaning(error).countsForBreaker;
  const status = httpStatusOf(error);
  return !isClientStatus(status) || FAILING_STATUSES.includes(status);
}

/** Whether a status blames the request, or asks for fewer requests: a 4xx. */
export const isClientStatus = (status: unknown): status is number =>
  typeof status === 'number' && status >= 400 && status < 500;

/** Fields in which clients keep the status: fetch wrappers and openai, undici and Node frameworks, axios and ky. */
function httpStatusOf(error: unknown): unknown {
  return (
    propertyOf(error, 'status') ??
    propertyOf(error, 'statusCode') ??
    propertyOf(propertyOf(error, 'response'), 'status')
  );
}

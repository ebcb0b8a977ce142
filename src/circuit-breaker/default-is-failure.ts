import { DescribeError } from '../errors/describe-error.ts';
import type { ErrorCode } from '../errors/error-code.ts';
import { propertyOf } from '../internal/property-of.ts';

/** Throttles, and what is the caller's own fault: they tell nothing about the health of the other side. */
const NEUTRAL_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DESCRIBE_CONFIG_INVALID',
  'DESCRIBE_INPUT_INVALID',
  'DESCRIBE_IMAGE_FORBIDDEN',
  'DESCRIBE_IMAGE_UNREADABLE',
  'DESCRIBE_IMAGE_UNSUPPORTED',
  'DESCRIBE_IMAGE_TOO_LARGE',
  'DESCRIBE_QUEUE_FULL',
  'DESCRIBE_RATE_LIMITED',
  'DESCRIBE_QUOTA_EXHAUSTED',
  'DESCRIBE_AUTH',
  'DESCRIBE_REFUSED',
  'DESCRIBE_OUTPUT_TRUNCATED',
  'DESCRIBE_CONTEXT_TOO_LONG',
  'DESCRIBE_CACHE_MISS',
]);

/** The two of the 4xx that the server has a part in: it waited too long (408), or another request was in the way (409). */
const FAILING_STATUSES: readonly number[] = [408, 409];

/** The default of `isFailure`: everything but throttles and the caller's own faults, told by code or HTTP status. */
export function defaultIsFailure(error: unknown): boolean {
  const code = propertyOf(error, 'code');
  if (NEUTRAL_CODES.has(code as ErrorCode) && DescribeError.is(error)) return false;
  const status = httpStatusOf(error);
  return !isClientStatus(status) || FAILING_STATUSES.includes(status);
}

/** Whether an answer blames its request, or asks for fewer of them: a 4xx. */
export const isClientStatus = (status: unknown): status is number =>
  typeof status === 'number' && status >= 400 && status < 500;

/** Where clients keep the status: fetch wrappers and openai, undici and Node frameworks, axios and ky. */
function httpStatusOf(error: unknown): unknown {
  return (
    propertyOf(error, 'status') ??
    propertyOf(error, 'statusCode') ??
    propertyOf(propertyOf(error, 'response'), 'status')
  );
}

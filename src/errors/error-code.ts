/**
 * Every code that a `DescribeError` can carry, with the status that a web service answers it with. `docs/errors.md`
 * explains each; a test keeps both equal.
 * Sources: RFC 9110, section 15; RFC 9111, section 5.2.1.7, for `only-if-cached`.
 */
export const HTTP_STATUSES = {
  DESCRIBE_CONFIG_INVALID: 500,
  DESCRIBE_INPUT_INVALID: 400,
  DESCRIBE_CLOSED: 503,
  DESCRIBE_TIMEOUT: 504,
  DESCRIBE_IMAGE_FORBIDDEN: 403,
  DESCRIBE_IMAGE_UNREADABLE: 422,
  DESCRIBE_IMAGE_UNSUPPORTED: 415,
  DESCRIBE_IMAGE_TOO_LARGE: 413,
  DESCRIBE_IMAGE_FETCH_FAILED: 422,
  DESCRIBE_POOL_TIMEOUT: 503,
  DESCRIBE_POOL_CREATE_FAILED: 503,
  DESCRIBE_LEASE_INVALID: 500,
  DESCRIBE_QUEUE_FULL: 503,
  DESCRIBE_CIRCUIT_OPEN: 503,
  DESCRIBE_RATE_LIMITED: 429,
  DESCRIBE_OVERLOADED: 503,
  DESCRIBE_QUOTA_EXHAUSTED: 503,
  DESCRIBE_AUTH: 500,
  DESCRIBE_REFUSED: 422,
  DESCRIBE_RESPONSE_INVALID: 502,
  DESCRIBE_OUTPUT_TRUNCATED: 502,
  DESCRIBE_CONTEXT_TOO_LONG: 413,
  DESCRIBE_UPSTREAM: 502,
  DESCRIBE_BATCH_HANDLER: 500,
  DESCRIBE_CACHE: 500,
  DESCRIBE_CACHE_MISS: 504,
} as const satisfies Readonly<Record<`DESCRIBE_${string}`, number>>;

export type ErrorCode = keyof typeof HTTP_STATUSES;

/** Every code that a `DescribeError` can carry. */
export const ERROR_CODES = Object.freeze(Object.keys(HTTP_STATUSES) as [ErrorCode, ...ErrorCode[]]);

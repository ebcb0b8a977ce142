import { DescribeError } from './describe-error.ts';
import type { ErrorCode } from './error-code.ts';

/** What a web service answers with when a call failed. */
export interface HttpStatusAnswer {
  readonly status: number;
  /** Whole seconds, at least 1, after which another request may succeed; absent where that is not known. */
  readonly retryAfterSeconds?: number;
  /**
   * `Retry-After`, where it is known; empty otherwise. For `response.set(headers)` and
   * `new Response(body, { headers })`.
   */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sources: RFC 9110, section 15; RFC 9111, section 5.2.1.7, for `only-if-cached`. */
export const HTTP_STATUSES: { readonly [Code in ErrorCode]: number } = {
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
};

/** As nginx writes it down when the client has gone; no answer arrives then. */
const CLIENT_CLOSED_REQUEST = 499;

/**
 * The status and `Retry-After` with which a web service answers for a failed call. An aborted call is 499, one that
 * ended by `AbortSignal.timeout()` 504, and what is not an error of this package 500. Say nothing of the error's text
 * to strangers.
 *
 * @example
 * ```ts
 * import { type DescribeClient, httpStatusOf } from '@describe-it/sdk';
 *
 * const handler = (client: DescribeClient) => async (request: Request): Promise<Response> => {
 *   try {
 *     return Response.json(await client.describe(await request.text()));
 *   } catch (error) {
 *     const { status, headers } = httpStatusOf(error);
 *     return Response.json({ error: 'no description' }, { status, headers });
 *   }
 * };
 * ```
 */
export function httpStatusOf(error: unknown): HttpStatusAnswer {
  if (!DescribeError.is(error)) return { status: statusOfOther(error), headers: {} };
  // Another version of this package may have codes that this one does not know.
  const status = Object.hasOwn(HTTP_STATUSES, error.code) ? HTTP_STATUSES[error.code] : 500;
  const { retryAfterMs } = error as { readonly retryAfterMs?: unknown };
  if (typeof retryAfterMs !== 'number' || !Number.isFinite(retryAfterMs)) return { status, headers: {} };
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return { status, retryAfterSeconds, headers: { 'Retry-After': String(retryAfterSeconds) } };
}

function statusOfOther(error: unknown): number {
  const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined;
  if (name === 'AbortError') return CLIENT_CLOSED_REQUEST;
  return name === 'TimeoutError' ? HTTP_STATUSES.DESCRIBE_TIMEOUT : 500;
}

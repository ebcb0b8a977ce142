import { DescribeError } from './describe-error.ts';
import { HTTP_STATUSES } from './error-code.ts';

/** The status and headers with which a web service answers for a failed call. */
export interface HttpStatusAnswer {
  readonly status: number;
  /** Whole seconds, at least 1, after which another request may succeed; absent where it is not known. */
  readonly retryAfterSeconds?: number;
  /**
   * `Retry-After`, where it is known; empty otherwise. For `response.set(headers)` and
   * `new Response(body, { headers })`.
   */
  readonly headers: Readonly<Record<string, string>>;
}

/** The status that nginx logs for a client that closed the connection. No answer arrives then. */
const CLIENT_CLOSED_REQUEST = 499;

/**
 * Gives the status and `Retry-After` with which a web service answers for a failed call. An aborted call is 499, one
 * that ended by `AbortSignal.timeout()` is 504, and an error that is not of this package is 500. Do not show the
 * error's message to strangers.
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
  // An error of another version of this package may have an unknown code.
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

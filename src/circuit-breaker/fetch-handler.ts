import type { CircuitBreakerCall } from './breaker-call.ts';
import { ownRetryAfterMs } from './circuit-breaker-options.ts';
import { type CreateCircuitBreakerOptions, createCircuitBreaker } from './create-circuit-breaker.ts';
import { isOpenRejection, retryAfterSeconds, UNAVAILABLE_BODY } from './retry-after-header.ts';

/** A route handler: a request, and whatever the framework passes beside it, to a response. */
export type FetchHandler<Args extends unknown[]> = (
  this: CircuitBreakerCall,
  ...args: Args
) => Response | PromiseLike<Response>;

export function protectFetchHandler<Args extends unknown[]>(
  name: string,
  handler: FetchHandler<Args>,
  options: CreateCircuitBreakerOptions<Args, Response>,
): (...args: Args) => Promise<Response> {
  const protectedHandler = createCircuitBreaker(name, handler, {
    ...options,
    isFailureResult: options.isFailureResult ?? (({ status }) => status >= 500),
    retryAfterMs: options.retryAfterMs ?? askedByResponse,
  });
  return async (...args) => {
    try {
      return await protectedHandler(...args);
    } catch (error) {
      if (!isOpenRejection(error, name)) throw error;
      const headers = new Headers({ 'content-type': 'application/json' });
      const seconds = retryAfterSeconds(error);
      if (seconds !== undefined) headers.set('retry-after', seconds);
      return new Response(UNAVAILABLE_BODY, { status: 503, headers });
    }
  };
}

/** What an error or a response asks for: its own `retryAfterMs`, or whole seconds in a `Retry-After` header. */
function askedByResponse(failure: unknown): number | undefined {
  if (!(failure instanceof Response)) return ownRetryAfterMs(failure);
  const seconds = failure.headers.get('retry-after');
  return seconds !== null && /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

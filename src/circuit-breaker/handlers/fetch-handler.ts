import { answerNow } from '../../internal/async/user-callback.ts';
import type { CircuitBreakerCall } from '../circuit/call-context.ts';
import { requestedRetryAfterMs } from '../circuit/requested-retry-after.ts';
import { type CreateCircuitBreakerOptions, createCircuitBreaker } from '../create-circuit-breaker.ts';
import { isClientStatus } from '../verdict/default-is-failure.ts';
import { wordOfCaller } from '../verdict/neutral-error.ts';
import { type ResultJudges, verdictOnResult } from '../verdict/verdict.ts';
import { ResponseError } from './handler-outcome.ts';
import { isOpenRejection, retryAfterSeconds, UNAVAILABLE_BODY } from './retry-after-header.ts';

/** A route handler: a request, and whatever the framework passes beside it, to a response. */
export type FetchHandler<Args extends unknown[]> = (
  this: CircuitBreakerCall,
  ...args: Args
) => Response | PromiseLike<Response>;

/** The responses that passed the breaker as rejections. Weak, because the breaker keeps the failure that opened it. */
const responses = new WeakMap<ResponseError, Response>();

/**
 * Judges responses here, and not by callbacks of the breaker. Callables of another kind may share the name, and then
 * the callbacks of the first one are used.
 */
export function protectFetchHandler<Args extends unknown[]>(
  name: string,
  handler: FetchHandler<Args>,
  {
    isFailureResult = isServerError,
    isNeutralResult = isClientError,
    retryAfterMs = requestedRetryAfterMs,
    fallback,
    ...options
  }: CreateCircuitBreakerOptions<Args, Response>,
): (...args: Args) => Promise<Response> {
  const judges = { isFailureResult, isNeutralResult } as ResultJudges;
  const protectedHandler = createCircuitBreaker<Args, Response>(
    name,
    async function (...args) {
      const response = await handler.apply(this, args);
      const verdict = verdictOnResult(response, judges);
      if (verdict === 'success') return response;
      throw withResponse(response, wordOfCaller(args) === 'gave-up' ? 'neutral' : verdict, retryAfterMs);
    },
    {
      ...(options as CreateCircuitBreakerOptions<Args, Response>),
      retryAfterMs: (failure) => (failure instanceof ResponseError ? failure.retryAfterMs : retryAfterMs(failure)),
      fallback:
        fallback &&
        ((error, ...args) => {
          if (error instanceof ResponseError) throw error;
          return fallback(error, ...args);
        }),
    },
  );
  return async (...args) => {
    try {
      return await protectedHandler(...args);
    } catch (error) {
      const response = responses.get(error as ResponseError);
      if (response !== undefined) return response;
      if (!isOpenRejection(error, name)) throw error;
      const headers = new Headers({ 'content-type': 'application/json' });
      const seconds = retryAfterSeconds(error);
      if (seconds !== undefined) headers.set('retry-after', seconds);
      return new Response(UNAVAILABLE_BODY, { status: 503, headers });
    }
  };
}

const isServerError = ({ status }: Response) => status >= 500;
const isClientError = ({ status }: Response) => isClientStatus(status);

function withResponse(
  response: Response,
  verdict: 'failure' | 'neutral',
  retryAfterMs: (failure: unknown) => number | undefined,
): ResponseError {
  const asked = verdict === 'failure' ? answerNow(retryAfterMs, response, undefined) : undefined;
  const error = new ResponseError(response.status, { verdict, retryAfterMs: asked });
  responses.set(error, response);
  return error;
}

import { type CreateCircuitBreakerOptions, createCircuitBreaker } from '../create-circuit-breaker.ts';
import { defaultIsFailure } from '../verdict/default-is-failure.ts';
import { ClientLeft, ResponseError } from './handler-outcome.ts';
import { type Next, NodeExchange, type NodeHandler, type NodeHandlerResponse } from './node-exchange.ts';
import { isOpenRejection, retryAfterSeconds, UNAVAILABLE_BODY } from './retry-after-header.ts';

/** The body for a handler that the breaker's timeout ended. */
const TIMED_OUT_BODY = '{"error":"timed out"}';

/**
 * Reports the outcome of a request by rejections with a verdict. Callables of another kind may share the name, and then
 * the callbacks of the first one are used.
 */
export function protectNodeHandler<Request, Response extends NodeHandlerResponse>(
  name: string,
  handler: NodeHandler<Request, Response>,
  { fallback, ...options }: CreateCircuitBreakerOptions<[Request, Response, Next], void>,
): (request: Request, response: Response, next?: Next) => Promise<void> {
  type Exchange = NodeExchange<Request, Response>;
  const { isFailure } = options;
  const protectedHandler = createCircuitBreaker<[Exchange], void>(
    name,
    function (exchange) {
      return exchange.run(this, handler);
    },
    {
      ...(options as CreateCircuitBreakerOptions<[Exchange], void>),
      isFailure:
        isFailure &&
        // A callable of another kind may share the name.
        ((error, [exchange]) =>
          exchange instanceof NodeExchange
            ? isFailure(error, [exchange.request, exchange.response, exchange.passOn])
            : defaultIsFailure(error)),
      fallback:
        fallback &&
        ((error, exchange) => {
          // One request gets one answer: its own, the framework's or the fallback's.
          if (error instanceof ResponseError || exchange.passedOn) throw error;
          exchange.handOver();
          return fallback(error, exchange.request, exchange.response, exchange.passOnInPlace);
        }),
    },
  );
  return async (request, response, next) => {
    const exchange: Exchange = new NodeExchange(request, response, next);
    try {
      await protectedHandler(exchange);
    } catch (error) {
      answerInPlace(name, exchange, error, next);
    }
    try {
      await exchange.rest;
    } catch (error) {
      if (next === undefined) throw error;
      next(error || new Error('the handler rejected with nothing'));
    }
  };
}

/** Answers a request whose handler failed: through the framework where there is one. */
function answerInPlace(
  name: string,
  exchange: NodeExchange<unknown, NodeHandlerResponse>,
  error: unknown,
  next: Next | undefined,
): void {
  if (exchange.passedOn || error instanceof ClientLeft || error instanceof ResponseError) return;
  const { response } = exchange;
  const turnedAway = isOpenRejection(error, name);
  if (turnedAway && !response.headersSent) {
    exchange.handOver();
    answer(response, 503, UNAVAILABLE_BODY, retryAfterSeconds(error));
  } else if (next !== undefined) {
    exchange.handOver();
    next(error || new Error('the handler rejected with nothing'));
  } else if (turnedAway || exchange.endedByBreaker(error)) {
    exchange.handOver();
    // No other code has this error. Thrown, it would be an unhandled rejection and end the process.
    if (response.headersSent) cutShort(response);
    else answer(response, 504, TIMED_OUT_BODY);
  } else if (error !== response.errored) throw error;
}

function answer(response: NodeHandlerResponse, status: number, body: string, seconds?: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  if (seconds !== undefined) response.setHeader('retry-after', seconds);
  response.end(body);
}

/** Half an answer must look neither complete nor still in progress. */
function cutShort(response: NodeHandlerResponse): void {
  if (response.writableEnded) return;
  if (response.destroy === undefined) response.end();
  else response.destroy();
}

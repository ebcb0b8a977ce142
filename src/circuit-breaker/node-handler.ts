import type { CircuitBreakerCall } from './breaker-call.ts';
import { type CreateCircuitBreakerOptions, createCircuitBreaker } from './create-circuit-breaker.ts';
import { isNoAbort } from './neutral-error.ts';
import { isOpenRejection, retryAfterSeconds, UNAVAILABLE_BODY } from './retry-after-header.ts';

/** The part of Node's `ServerResponse` that is used. */
export interface NodeHandlerResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
  once(event: 'finish' | 'close', listener: () => void): unknown;
  removeListener(event: 'finish' | 'close', listener: () => void): unknown;
}

type Next = (error?: unknown) => void;

/** A handler of Express, Connect or Next.js pages. */
export type NodeHandler<Request, Response> = (
  this: CircuitBreakerCall,
  request: Request,
  response: Response,
  next: Next,
) => unknown;

/** The client left before the answer was out: nobody's failure. */
class ClientLeft extends Error {}

/** How an answered request ended: a sent response, or passed on with `next()`. */
type Ending = 'answered' | 'failed' | 'passed on';

export function protectNodeHandler<Request, Response extends NodeHandlerResponse>(
  name: string,
  handler: NodeHandler<Request, Response>,
  {
    isFailure = isNoAbort,
    fallback,
    ...options
  }: CreateCircuitBreakerOptions<[Request, Response, Next], void>,
): (request: Request, response: Response, next?: Next) => Promise<void> {
  const protectedHandler = createCircuitBreaker(
    name,
    function (this: CircuitBreakerCall, request: Request, response: Response, next: Next) {
      return ending(response, next, (wrappedNext) => handler.call(this, request, response, wrappedNext));
    },
    {
      ...options,
      isFailure: (error) => !(error instanceof ClientLeft) && isFailure(error),
      isFailureResult: (result: Ending) => result === 'failed',
      ...(fallback === undefined
        ? {}
        : {
            fallback: async (error: unknown, request: Request, response: Response, next: Next) => {
              await fallback(error, request, response, next);
              return 'answered';
            },
          }),
    } as CreateCircuitBreakerOptions<[Request, Response, Next], Ending>,
  );
  return async (request, response, next) => {
    let passedOn = false;
    const nextOnce = (error?: unknown) => {
      if (passedOn) return;
      passedOn = true;
      next?.(error);
    };
    try {
      await protectedHandler(request, response, nextOnce);
    } catch (error) {
      if (passedOn || error instanceof ClientLeft) return;
      if (isOpenRejection(error, name)) answerUnavailable(response, retryAfterSeconds(error));
      else if (next === undefined) throw error;
      else nextOnce(error);
    }
  };
}

/** Settles when the request is over for this handler, which may be long after the handler returned. */
function ending(
  response: NodeHandlerResponse,
  next: Next,
  run: (wrappedNext: Next) => unknown,
): Promise<Ending> {
  return new Promise<Ending>((resolve, reject) => {
    const finished = () => settle(() => resolve(response.statusCode >= 500 ? 'failed' : 'answered'));
    const closed = () => (response.writableFinished ? finished() : settle(() => reject(new ClientLeft())));
    const settle = (how: () => void) => {
      response.removeListener('finish', finished);
      response.removeListener('close', closed);
      how();
    };
    const failed = (error: unknown) => settle(() => reject(error));
    response.once('finish', finished);
    response.once('close', closed);
    if (response.destroyed) closed();
    const wrappedNext = (error?: unknown) => {
      next(error);
      // Express gives `next` two words that are no errors.
      if (error === undefined || error === 'route' || error === 'router') settle(() => resolve('passed on'));
      else failed(error);
    };
    try {
      const returned = run(wrappedNext);
      if (returned instanceof Promise) returned.catch(failed);
    } catch (error) {
      failed(error);
    }
  });
}

function answerUnavailable(response: NodeHandlerResponse, seconds: string | undefined): void {
  if (response.headersSent) return;
  response.statusCode = 503;
  response.setHeader('content-type', 'application/json');
  if (seconds !== undefined) response.setHeader('retry-after', seconds);
  response.end(UNAVAILABLE_BODY);
}

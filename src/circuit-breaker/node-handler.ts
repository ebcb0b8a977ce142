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

/** Settles when the request is over for this handler: its answer is out and its promise settled, or it passed on. */
function ending(
  response: NodeHandlerResponse,
  next: Next,
  run: (wrappedNext: Next) => unknown,
): Promise<Ending> {
  return new Promise<Ending>((resolve, reject) => {
    let returned: unknown;
    const detach = () => {
      response.removeListener('finish', finished);
      response.removeListener('close', closed);
    };
    const failed = (error: unknown) => {
      detach();
      reject(error);
    };
    const finished = () => {
      detach();
      const how: Ending = response.statusCode >= 500 ? 'failed' : 'answered';
      // The promise of the handler may still reject, and the framework must hear of it.
      Promise.resolve(returned).then(() => resolve(how), reject);
    };
    const closed = () => (response.writableFinished ? finished() : failed(new ClientLeft()));
    if (response.destroyed) {
      failed(new ClientLeft());
      return;
    }
    response.once('finish', finished);
    response.once('close', closed);
    const wrappedNext = (error?: unknown) => {
      // Express gives `next` two words that are no errors.
      const passes = error === undefined || error === null || error === 'route' || error === 'router';
      detach();
      if (passes) resolve('passed on');
      else reject(error);
      next(error);
    };
    try {
      returned = run(wrappedNext);
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

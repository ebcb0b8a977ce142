import type { CircuitBreakerCall } from './breaker-call.ts';
import { type CreateCircuitBreakerOptions, createCircuitBreaker } from './create-circuit-breaker.ts';
import { isNoAbort } from './neutral-error.ts';
import { isOpenRejection, retryAfterSeconds, UNAVAILABLE_BODY } from './retry-after-header.ts';

/** The part of Node's `ServerResponse` that is used. */
export interface NodeHandlerResponse {
  statusCode: number;
  readonly headersSent: boolean;
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

/** The client left before the answer was out: nobody's failure, so it goes by the name of an abort. */
class ClientLeft extends Error {
  override readonly name = 'AbortError';
}

/** The handler answered with 500 or more. Only the breaker hears of it, for the answer is out. */
class AnsweredWithError extends Error {
  override readonly name = 'AnsweredWithError';
  readonly status: number;

  constructor(status: number) {
    super(`answered ${status}`);
    this.status = status;
  }
}

/**
 * How a request ended is told by rejections alone, which every `isFailure` understands: the name may be shared with
 * callables of another kind, whose functions came first.
 */
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
      return ending(response, next, (passOn) => handler.call(this, request, response, passOn));
    },
    {
      ...options,
      isFailure: (error) => !(error instanceof ClientLeft) && isFailure(error),
      fallback:
        fallback &&
        ((error, ...args) => {
          if (error instanceof AnsweredWithError) throw error;
          return fallback(error, ...args);
        }),
    },
  );
  return async (request, response, next) => {
    let passedOn = false;
    const passOn = (error?: unknown) => {
      passedOn = true;
      next?.(error);
    };
    try {
      await protectedHandler(request, response, passOn);
    } catch (error) {
      if (passedOn || error instanceof ClientLeft || error instanceof AnsweredWithError) return;
      if (isOpenRejection(error, name)) answerUnavailable(response, retryAfterSeconds(error));
      else if (next === undefined) throw error;
      else next(error);
    }
  };
}

/** Settles when the request is over for this handler: its answer is out and its promise settled, or it passed on. */
function ending(response: NodeHandlerResponse, next: Next, run: (passOn: Next) => unknown): Promise<void> {
  return new Promise<void>((resolve, reject) => {
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
      // The promise of the handler may still reject, and the framework must hear of it.
      Promise.resolve(returned).then(() => {
        if (response.statusCode < 500) resolve();
        else reject(new AnsweredWithError(response.statusCode));
      }, reject);
    };
    // Node tells `finish` before `close`.
    const closed = () => failed(new ClientLeft());
    if (response.destroyed) {
      closed();
      return;
    }
    response.once('finish', finished);
    response.once('close', closed);
    const passOn = (error?: unknown) => {
      // Express gives `next` two words that are no errors.
      const passes = error === undefined || error === null || error === 'route' || error === 'router';
      detach();
      if (passes) resolve();
      else reject(error);
      next(error);
    };
    try {
      returned = run(passOn);
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

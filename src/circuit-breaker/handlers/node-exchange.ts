import { parseRetryAfter } from '../../internal/upstream/response-headers.ts';
import type { CircuitBreakerCall } from '../circuit/call-context.ts';
import { isClientStatus } from '../verdict/default-is-failure.ts';
import { ClientLeft, ResponseError } from './handler-outcome.ts';

/** The part of Node's `ServerResponse` that is used. */
export interface NodeHandlerResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableEnded?: boolean;
  readonly writableFinished?: boolean;
  /** The error that destroyed the response, if there is one. */
  readonly errored?: Error | null;
  setHeader(name: string, value: string): unknown;
  getHeader?(name: string): unknown;
  end(body?: string): unknown;
  destroy?(error?: Error): unknown;
  once(event: 'finish' | 'close', listener: () => void): unknown;
  removeListener(event: 'finish' | 'close', listener: () => void): unknown;
}

export type Next = (error?: unknown) => void;

/** A handler of Express, Connect or Next.js pages. */
export type NodeHandler<Request, Response> = (
  this: CircuitBreakerCall,
  request: Request,
  response: Response,
  next: Next,
) => unknown;

/**
 * One request in a protected handler. It reports the outcome of the request to the breaker, and keeps the handler's own
 * promise for the framework. The request is not an argument of the breaker's call, because its `signal` aborts whenever
 * its socket closes.
 */
export class NodeExchange<Request, Response extends NodeHandlerResponse> {
  readonly request: Request;
  readonly response: Response;
  /** The handler's `next`. It has no effect once another party answers. */
  readonly passOn: Next;
  /** The `next` for an answer in place of the handler's. */
  readonly passOnInPlace: Next;
  /** Whether the framework's `next` was called. */
  passedOn = false;
  #over = false;
  #verdictIsIn = false;
  #handsOnTheRest = false;
  #work: Promise<void> = Promise.resolve();
  #call: CircuitBreakerCall | undefined;
  #conclude: (error?: unknown) => void = () => {};

  constructor(request: Request, response: Response, next: Next | undefined) {
    this.request = request;
    this.response = response;
    this.passOnInPlace = (error) => {
      this.passedOn = true;
      next?.(error);
    };
    this.passOn = (error) => {
      if (this.#over) return;
      // Express takes falsy values, and these two words, for no error.
      const passes = !error || error === 'route' || error === 'router';
      this.#handsOnTheRest = passes;
      this.#conclude(passes ? undefined : error);
      this.passOnInPlace(error);
    };
  }

  /**
   * Settles as the handler does. For a request whose verdict is known, while the framework still needs the handler's
   * rejection.
   */
  get rest(): Promise<void> {
    return this.#handsOnTheRest ? this.#work : Promise.resolve();
  }

  /** Whether the breaker ended the call by its own timeout. */
  endedByBreaker(error: unknown): boolean {
    return this.#call?.signal.aborted === true && this.#call.signal.reason === error;
  }

  /** Another party answers. The handler's further results are ignored. */
  handOver(): void {
    this.#over = true;
    this.#handsOnTheRest = false;
  }

  /** Settles when the answer is sent, the handler passed on or failed, or the client left. */
  run(call: CircuitBreakerCall, handler: NodeHandler<Request, Response>): Promise<void> {
    this.#call = call;
    const { request, response } = this;
    if (response.destroyed) return Promise.reject(new ClientLeft());
    return new Promise<void>((resolve, reject) => {
      const finished = () => {
        this.#handsOnTheRest = !this.#over;
        this.#conclude(outcomeOf(response));
      };
      // Node emits `finish` before `close`. A response that was destroyed with an error lost its source, not its
      // client.
      const closed = () => {
        this.#handsOnTheRest = !this.#over && response.errored instanceof Error;
        this.#conclude(response.errored ?? new ClientLeft());
      };
      this.#conclude = (error) => {
        if (this.#verdictIsIn) return;
        this.#verdictIsIn = true;
        response.removeListener('finish', finished);
        response.removeListener('close', closed);
        if (error === undefined) resolve();
        else reject(error);
      };
      response.once('finish', finished);
      response.once('close', closed);
      this.#work = new Promise((settle) => settle(handler.call(call, request, response, this.passOn))).then(
        () => {},
        (error: unknown) => this.#handlerFailed(error),
      );
      this.#work.catch(() => {});
    });
  }

  #handlerFailed(error: unknown): void {
    if (this.#verdictIsIn) {
      if (this.#handsOnTheRest) throw error;
      return;
    }
    const { destroyed, writableFinished = false, errored } = this.response;
    const clientLeft = destroyed && !writableFinished && !errored;
    this.#conclude(clientLeft ? new ClientLeft() : (error ?? new Error('the handler rejected with nothing')));
  }
}

/** The outcome of an answer that was sent; undefined for a good one. A 4xx is the client's fault. */
function outcomeOf(response: NodeHandlerResponse): ResponseError | undefined {
  const { statusCode } = response;
  if (statusCode < 400) return undefined;
  return new ResponseError(statusCode, {
    verdict: isClientStatus(statusCode) ? 'neutral' : undefined,
    retryAfterMs: parseRetryAfter(response.getHeader?.('retry-after')),
  });
}

import { VERDICT } from '../verdict/verdict.ts';

/** The client left before the answer was sent. It is no failure, so it has the name of an abort. */
export class ClientLeft extends Error {
  override readonly name = 'AbortError';
}

export interface ResponseErrorOptions {
  /** The verdict where it is known already; else `isFailure` is called. */
  readonly verdict?: 'failure' | 'neutral' | undefined;
  /** Milliseconds that the answer asked for. */
  readonly retryAfterMs?: number | undefined;
}

/** A handler's answer that is no success. Only the breaker gets it: the client has its answer. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
  readonly status: number;
  declare readonly retryAfterMs?: number;
  declare readonly [VERDICT]?: 'failure' | 'neutral';

  constructor(status: number, { verdict, retryAfterMs }: ResponseErrorOptions) {
    super(`answered ${status}`);
    this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (verdict !== undefined) Object.defineProperty(this, VERDICT, { value: verdict });
  }
}

import { VERDICT } from '../verdict/verdict.ts';

/** The client left before the answer was out: nobody's failure, so it goes by the name of an abort. */
export class ClientLeft extends Error {
  override readonly name = 'AbortError';
}

export interface ResponseErrorOptions {
  /** The verdict where it is in already; else `isFailure` is asked. */
  readonly verdict?: 'failure' | 'neutral' | undefined;
  /** Milliseconds that the answer asked for. */
  readonly retryAfterMs?: number | undefined;
}

/** A handler's answer that is no success. Only the breaker hears of it, for the client has its answer. */
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

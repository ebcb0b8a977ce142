import { DescribeError, setErrorName, setKnown } from './describe-error.ts';
import { durationText } from './duration-text.ts';

/** A circuit breaker is open and the call was not made; `cause` is the failure that opened it. */
export class CircuitOpenError extends DescribeError {
  /** Name of the breaker. */
  readonly breaker: string;
  /** Milliseconds until the breaker lets a probe through; absent while it is isolated by hand. */
  declare readonly retryAfterMs?: number;

  constructor(breaker: string, retryAfterMs: number | undefined, options: { readonly cause?: unknown } = {}) {
    const until =
      retryAfterMs === undefined
        ? 'it is isolated until it is closed by hand'
        : `retry in ${durationText(retryAfterMs)}`;
    super('DESCRIBE_CIRCUIT_OPEN', `circuit breaker ${breaker} is open; ${until}`, {
      ...options,
      retryable: retryAfterMs !== undefined,
    });
    this.breaker = breaker;
    setKnown(this, { retryAfterMs });
  }
}

setErrorName(CircuitOpenError, 'CircuitOpenError');

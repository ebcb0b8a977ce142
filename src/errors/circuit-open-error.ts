import { DescribeError } from './describe-error.ts';
import { setErrorName } from './error-name.ts';

/** A circuit breaker is open and the call was not made; `cause` is the failure that opened it. */
export class CircuitOpenError extends DescribeError {
  /** Name of the breaker. */
  readonly breaker: string;
  /** Milliseconds until a probe is let through; absent while the breaker is isolated by hand. */
  declare readonly retryAfterMs?: number;

  constructor(breaker: string, retryAfterMs: number | undefined, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_CIRCUIT_OPEN', `circuit breaker ${breaker} is open`, {
      ...options,
      retryable: retryAfterMs !== undefined,
    });
    this.breaker = breaker;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

setErrorName(CircuitOpenError, 'CircuitOpenError');

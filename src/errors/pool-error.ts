import { DescribeError } from './describe-error.ts';
import { setErrorName } from './error-name.ts';

/** No resource became free in time. */
export class PoolTimeoutError extends DescribeError {
  /** The bound of the wait, in milliseconds (`acquireTimeoutMs`). */
  readonly timeoutMs: number;

  constructor(pool: string, timeoutMs: number, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_POOL_TIMEOUT', `${pool}: nothing became free within acquireTimeoutMs (${timeoutMs} ms)`, {
      ...options,
      retryable: true,
    });
    this.timeoutMs = timeoutMs;
  }
}

setErrorName(PoolTimeoutError, 'PoolTimeoutError');

/** A resource could not be made; `cause` is what its factory threw. */
export class PoolCreateError extends DescribeError {
  constructor(pool: string, message: string, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_POOL_CREATE_FAILED', `${pool}: ${message}`, { ...options, retryable: true });
  }
}

setErrorName(PoolCreateError, 'PoolCreateError');

/** A lease was used after its end, or handed to a pool that did not give it. */
export class LeaseError extends DescribeError {
  constructor(message: string) {
    super('DESCRIBE_LEASE_INVALID', message);
  }
}

setErrorName(LeaseError, 'LeaseError');

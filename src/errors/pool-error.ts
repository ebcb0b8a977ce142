import { DescribeError } from './describe-error.ts';
import { durationText } from './duration-text.ts';
import { setErrorName } from './error-name.ts';

/** No resource became free in time. */
export class PoolTimeoutError extends DescribeError {
  /** The bound of the wait, in milliseconds (`acquireTimeoutMs`). */
  readonly timeoutMs: number;

  /** @param options - `cause` is why the last create failed, if it did, and `said` tells that in the message. */
  constructor(
    pool: string,
    timeoutMs: number,
    { cause, said }: { readonly cause?: unknown; readonly said?: string | undefined } = {},
  ) {
    const message = `${pool}: nothing became free within acquireTimeoutMs (${durationText(timeoutMs)})`;
    super('DESCRIBE_POOL_TIMEOUT', said === undefined ? message : `${message}; the last ${said}`, {
      cause,
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

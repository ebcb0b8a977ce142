import { DescribeError, setErrorName } from './describe-error.ts';
import { durationText } from './duration-text.ts';

/** No resource became free in time. */
export class PoolTimeoutError extends DescribeError {
  /** The timeout in milliseconds (`acquireTimeoutMs`). */
  readonly timeoutMs: number;

  /** @param options - `cause` is the failure of the last create, if it failed, and `said` names it in the message. */
  constructor(
    pool: string,
    timeoutMs: number,
    { cause, said }: { readonly cause?: unknown; readonly said?: string | undefined } = {},
  ) {
    const message = `${pool}: no resource became free within acquireTimeoutMs (${durationText(timeoutMs)})`;
    super('DESCRIBE_POOL_TIMEOUT', said === undefined ? message : `${message}; the last ${said}`, {
      cause,
      retryable: true,
    });
    this.timeoutMs = timeoutMs;
  }
}

setErrorName(PoolTimeoutError, 'PoolTimeoutError');

/** A resource could not be created; `cause` is the error of its factory. */
export class PoolCreateError extends DescribeError {
  constructor(pool: string, message: string, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_POOL_CREATE_FAILED', `${pool}: ${message}`, { ...options, retryable: true });
  }
}

setErrorName(PoolCreateError, 'PoolCreateError');

/** A lease was used after its release, or given to a pool that did not issue it. */
export class LeaseError extends DescribeError {
  constructor(message: string) {
    super('DESCRIBE_LEASE_INVALID', message);
  }
}

setErrorName(LeaseError, 'LeaseError');

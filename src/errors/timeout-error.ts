import { DescribeError, setErrorName } from './describe-error.ts';
import { durationText } from './duration-text.ts';

/** Work did not end within its timeout, and was aborted. */
export class TimeoutError extends DescribeError {
  /** The timeout in milliseconds. */
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_TIMEOUT', `${what} did not end within ${durationText(timeoutMs)}`, {
      ...options,
      retryable: true,
    });
    this.timeoutMs = timeoutMs;
  }
}

setErrorName(TimeoutError, 'TimeoutError');

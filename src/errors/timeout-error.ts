import { DescribeError } from './describe-error.ts';
import { durationText } from './duration-text.ts';
import { setErrorName } from './error-name.ts';

/** Work did not end in time and was aborted. */
export class TimeoutError extends DescribeError {
  /** The bound that was passed, in milliseconds. */
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

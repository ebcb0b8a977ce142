import { DescribeError } from './describe-error.ts';
import { setErrorName } from './error-name.ts';

/** The thing was closed or destroyed and takes no more work. */
export class ClosedError extends DescribeError {
  constructor(what: string, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_CLOSED', `${what} is closed`, options);
  }
}

setErrorName(ClosedError, 'ClosedError');

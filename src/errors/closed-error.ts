import { DescribeError, setErrorName } from './describe-error.ts';

/** The part was closed or destroyed, and takes no more work. */
export class ClosedError extends DescribeError {
  constructor(what: string, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_CLOSED', `${what} is closed`, options);
  }
}

setErrorName(ClosedError, 'ClosedError');

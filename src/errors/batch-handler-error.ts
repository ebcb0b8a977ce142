import { DescribeError } from './describe-error.ts';
import { setErrorName } from './error-name.ts';

/** A batch handler broke its contract: it threw, or returned the wrong number of results, or none for an item. */
export class BatchHandlerError extends DescribeError {
  constructor(message: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super('DESCRIBE_BATCH_HANDLER', message, options);
  }
}

setErrorName(BatchHandlerError, 'BatchHandlerError');

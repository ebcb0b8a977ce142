import { DescribeError, setErrorName } from './describe-error.ts';

/** A batch handler threw, or returned the wrong number of results, or none for an item. */
export class BatchHandlerError extends DescribeError {
  constructor(message: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super('DESCRIBE_BATCH_HANDLER', message, options);
  }
}

setErrorName(BatchHandlerError, 'BatchHandlerError');

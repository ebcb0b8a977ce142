import { DescribeError, setErrorName } from './describe-error.ts';

/** A bounded queue is full; `option` names its limit. */
export class QueueFullError extends DescribeError {
  readonly option: string;
  readonly limit: number;

  constructor(what: string, option: string, limit: number) {
    super('DESCRIBE_QUEUE_FULL', `${what} is full: ${option} is ${limit}. Retry later, or raise it.`, {
      retryable: true,
    });
    this.option = option;
    this.limit = limit;
  }
}

setErrorName(QueueFullError, 'QueueFullError');

import { DescribeError } from './describe-error.ts';
import { setErrorName } from './error-name.ts';

/** A bounded line is full; `option` names its limit. */
export class QueueFullError extends DescribeError {
  readonly option: string;
  readonly limit: number;

  constructor(what: string, option: string, limit: number) {
    super('DESCRIBE_QUEUE_FULL', `${what} is full (${option} ${limit})`, { retryable: true });
    this.option = option;
    this.limit = limit;
  }
}

setErrorName(QueueFullError, 'QueueFullError');

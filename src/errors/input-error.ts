import { DescribeError, setErrorName } from './describe-error.ts';

/** An argument of a method is wrong; `field` names it. */
export class InputError extends DescribeError {
  readonly field: string;

  constructor(field: string, message: string, options: { readonly cause?: unknown } = {}) {
    super('DESCRIBE_INPUT_INVALID', `${field}: ${message}`, options);
    this.field = field;
  }
}

setErrorName(InputError, 'InputError');

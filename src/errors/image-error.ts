import { DescribeError, type DescribeErrorOptions } from './describe-error.ts';
import type { ErrorCode } from './error-code.ts';
import { setErrorName } from './error-name.ts';

export type ImageErrorCode = Extract<ErrorCode, `DESCRIBE_IMAGE_${string}`>;

/** An image can't be used: forbidden, unreadable, unsupported, too large or not to be had. Its bytes are never shown. */
export class ImageError extends DescribeError {
  declare readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options: DescribeErrorOptions = {}) {
    super(code, message, options);
  }
}

setErrorName(ImageError, 'ImageError');

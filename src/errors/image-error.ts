import { DescribeError, type DescribeErrorOptions } from './describe-error.ts';
import type { ErrorCode } from './error-code.ts';
import { setErrorName } from './error-name.ts';

export type ImageErrorCode = Extract<ErrorCode, `DESCRIBE_IMAGE_${string}`>;

export interface ImageErrorOptions extends DescribeErrorOptions {
  /** The API's own reason, where the API blames the image: at most 500 characters, cleaned of secrets. */
  readonly upstreamMessage?: string | undefined;
  /** The API's id of the request that it answered so. */
  readonly requestId?: string | undefined;
}

/**
 * An image can't be used: forbidden, unreadable, unsupported, too large or not to be had. Its bytes are never shown.
 */
export class ImageError extends DescribeError {
  declare readonly code: ImageErrorCode;
  declare readonly upstreamMessage?: string;
  declare readonly requestId?: string;

  constructor(code: ImageErrorCode, message: string, options: ImageErrorOptions = {}) {
    super(code, message, options);
    const { upstreamMessage, requestId } = options;
    if (upstreamMessage !== undefined) this.upstreamMessage = upstreamMessage;
    if (requestId !== undefined) this.requestId = requestId;
  }
}

setErrorName(ImageError, 'ImageError');

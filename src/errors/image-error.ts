import { DescribeError, type DescribeErrorOptions, setErrorName, setKnown } from './describe-error.ts';
import type { ErrorCode } from './error-code.ts';

export type ImageErrorCode = Extract<ErrorCode, `DESCRIBE_IMAGE_${string}`>;

export interface ImageErrorOptions extends DescribeErrorOptions {
  /** The API's own reason, where it blames the image: at most 500 characters, cleaned of secrets. */
  readonly upstreamMessage?: string | undefined;
  /** The API's id of the request. */
  readonly requestId?: string | undefined;
}

/** An image is forbidden, unreadable, unsupported, too large, or could not be loaded. Its bytes are never shown. */
export class ImageError extends DescribeError implements ImageErrorOptions {
  declare readonly code: ImageErrorCode;
  declare readonly upstreamMessage?: string;
  declare readonly requestId?: string;

  constructor(code: ImageErrorCode, message: string, options: ImageErrorOptions = {}) {
    super(code, message, options);
    const { upstreamMessage, requestId } = options;
    setKnown(this, { upstreamMessage, requestId });
  }
}

setErrorName(ImageError, 'ImageError');

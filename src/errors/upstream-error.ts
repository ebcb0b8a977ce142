import { DescribeError, type DescribeErrorOptions, setErrorName, setKnown } from './describe-error.ts';
import type { ErrorCode } from './error-code.ts';

export type UpstreamErrorCode = Extract<
  ErrorCode,
  | 'DESCRIBE_RATE_LIMITED'
  | 'DESCRIBE_OVERLOADED'
  | 'DESCRIBE_QUOTA_EXHAUSTED'
  | 'DESCRIBE_AUTH'
  | 'DESCRIBE_REFUSED'
  | 'DESCRIBE_RESPONSE_INVALID'
  | 'DESCRIBE_OUTPUT_TRUNCATED'
  | 'DESCRIBE_CONTEXT_TOO_LONG'
  | 'DESCRIBE_UPSTREAM'
>;

/** The known parts of an answer that was not a description. */
export interface UpstreamErrorOptions extends DescribeErrorOptions {
  /** HTTP status; absent without an answer. */
  readonly status?: number | undefined;
  /** The API's `x-request-id`. */
  readonly requestId?: string | undefined;
  /** The API's own error code, such as `insufficient_quota`. */
  readonly upstreamCode?: string | undefined;
  /** The API's own reason: at most 500 characters, cleaned of keys, prompts, addresses and images. */
  readonly upstreamMessage?: string | undefined;
  /** Milliseconds that the API asked to wait. */
  readonly retryAfterMs?: number | undefined;
  /** Media type of an answer that was not JSON, or `none` where it had no type; absent for every other failure. */
  readonly contentType?: string | undefined;
}

/** The API, or the connection to it, gave no usable description. */
export class UpstreamError extends DescribeError implements UpstreamErrorOptions {
  declare readonly code: UpstreamErrorCode;
  declare readonly status?: number;
  declare readonly requestId?: string;
  declare readonly upstreamCode?: string;
  declare readonly upstreamMessage?: string;
  declare readonly retryAfterMs?: number;
  declare readonly contentType?: string;

  constructor(code: UpstreamErrorCode, message: string, options: UpstreamErrorOptions = {}) {
    super(code, message, options);
    const { status, requestId, upstreamCode, upstreamMessage, retryAfterMs, contentType } = options;
    setKnown(this, { status, requestId, upstreamCode, upstreamMessage, retryAfterMs, contentType });
  }
}

setErrorName(UpstreamError, 'UpstreamError');

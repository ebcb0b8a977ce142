import type { CallExplanation } from './call-explanation.ts';
import type { ErrorCode } from './error-code.ts';
import { setErrorName } from './error-name.ts';

/** Marks every DescribeError of every copy of this package, for `instanceof` fails between ESM and CJS. */
const BRAND = Symbol.for('@describe-it/sdk/error');

export interface DescribeErrorOptions {
  /** What caused it, kept as `cause`. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later, unchanged. @defaultValue false */
  readonly retryable?: boolean;
}

/**
 * Base of every error this package makes. Tell kinds apart by `code`. Neither message nor fields ever hold a key, a
 * prompt, an image or a description.
 *
 * @example
 * ```ts
 * import { DescribeError } from '@describe-it/sdk';
 *
 * const advice = (error: unknown) =>
 *   DescribeError.is(error, 'DESCRIBE_RATE_LIMITED') ? 'slow down' : 'give up';
 * ```
 */
export class DescribeError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /**
   * The story of the call that failed, on errors that `describe` and `describeMany` give. Each caller has its own, also
   * where several share one request. Not enumerable, so that logs stay short.
   */
  declare readonly explain?: CallExplanation;

  constructor(code: ErrorCode, message: string, { cause, retryable = false }: DescribeErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Tells whether a value is a DescribeError of any copy of this package, and of that code when one is given. */
  static is(value: unknown, code?: ErrorCode): value is DescribeError {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
    return code === undefined || (value as { readonly code?: unknown }).code === code;
  }
}

setErrorName(DescribeError, 'DescribeError');

import { DescribeError } from '../errors/describe-error.ts';
import { ERROR_CODES, type ErrorCode } from '../errors/error-code.ts';
import { ImageError, type ImageErrorCode } from '../errors/image-error.ts';
import { UpstreamError, type UpstreamErrorCode } from '../errors/upstream-error.ts';
import type { StoredFailure } from './cache-entry.ts';

/** Only our own errors are remembered: their messages and fields hold no secret and no payload. */
export function storeFailure(error: unknown): StoredFailure | undefined {
  if (!DescribeError.is(error)) return undefined;
  const fields = Object.entries(error).filter(
    ([name, value]) => name !== 'code' && ['string', 'number', 'boolean'].includes(typeof value),
  );
  return { code: error.code, message: error.message, fields: Object.fromEntries(fields) };
}

const UPSTREAM_CODES: readonly string[] = [
  'DESCRIBE_RATE_LIMITED',
  'DESCRIBE_OVERLOADED',
  'DESCRIBE_QUOTA_EXHAUSTED',
  'DESCRIBE_AUTH',
  'DESCRIBE_REFUSED',
  'DESCRIBE_RESPONSE_INVALID',
  'DESCRIBE_OUTPUT_TRUNCATED',
  'DESCRIBE_CONTEXT_TOO_LONG',
  'DESCRIBE_UPSTREAM',
] satisfies readonly UpstreamErrorCode[];

/** An error of the class, code, message and fields that was remembered; `undefined` for a code that does not exist. */
export function reviveFailure({ code, message, fields }: StoredFailure): DescribeError | undefined {
  if (!isErrorCode(code)) return undefined;
  if (UPSTREAM_CODES.includes(code)) return new UpstreamError(code as UpstreamErrorCode, message, fields);
  const error = code.startsWith('DESCRIBE_IMAGE_')
    ? new ImageError(code as ImageErrorCode, message, fields)
    : new DescribeError(code, message, fields);
  return Object.assign(error, fields);
}

const isErrorCode = (code: string): code is ErrorCode => (ERROR_CODES as readonly string[]).includes(code);

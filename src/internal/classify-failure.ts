import { DescribeError } from '../errors/describe-error.ts';
import { ImageError, type ImageErrorCode } from '../errors/image-error.ts';
import {
  UpstreamError,
  type UpstreamErrorCode,
  type UpstreamErrorOptions,
} from '../errors/upstream-error.ts';
import { isUnansweredCall } from './openai-error-shape.ts';
import { headerOf, retryAfterMsOf } from './retry-after.ts';

/** What an error of any copy of the OpenAI client, or of fetch, may carry. Recognised by shape, not by class. */
interface ForeignError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  readonly headers?: unknown;
  readonly requestID?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
}

/** Codes of the API that mean a used-up account. Source: OpenAI, "Error codes" guide; `type` is often the first. */
const QUOTA_CODES = new Set([
  'insufficient_quota',
  'credit_balance_exhausted',
  'billing_hard_limit_reached',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
]);

/** Codes of the API for a request that is too large as a whole. */
const SIZE_CODES = new Set(['context_length_exceeded', 'request_too_large']);

/** Codes of the API that blame the image, and what they are here. */
const IMAGE_CODES: Readonly<Record<string, ImageErrorCode | 'DESCRIBE_REFUSED'>> = {
  image_too_large: 'DESCRIBE_IMAGE_TOO_LARGE',
  image_file_too_large: 'DESCRIBE_IMAGE_TOO_LARGE',
  invalid_image: 'DESCRIBE_IMAGE_UNREADABLE',
  invalid_base64_image: 'DESCRIBE_IMAGE_UNREADABLE',
  image_parse_error: 'DESCRIBE_IMAGE_UNREADABLE',
  image_too_small: 'DESCRIBE_IMAGE_UNREADABLE',
  empty_image_file: 'DESCRIBE_IMAGE_UNREADABLE',
  invalid_image_format: 'DESCRIBE_IMAGE_UNSUPPORTED',
  unsupported_image_media_type: 'DESCRIBE_IMAGE_UNSUPPORTED',
  image_content_policy_violation: 'DESCRIBE_REFUSED',
  failed_to_download_image: 'DESCRIBE_IMAGE_FETCH_FAILED',
  invalid_image_url: 'DESCRIBE_IMAGE_FETCH_FAILED',
};

/**
 * Turns whatever a call of the API threw into a `DescribeError`; one that already is stays as it is. The API's own
 * message is dropped, for it may repeat a part of the key or of the request.
 */
export function classifyFailure(error: unknown): DescribeError {
  if (DescribeError.is(error)) return error;
  const foreign = (typeof error === 'object' && error !== null ? error : {}) as ForeignError;
  return typeof foreign.status === 'number'
    ? fromStatus(foreign, foreign.status)
    : fromConnection(foreign, error);
}

function fromStatus(foreign: ForeignError, status: number): DescribeError {
  const upstreamCode = codeTextOf(foreign.code) ?? codeTextOf(foreign.type);
  const requestId = textOf(foreign.requestID) ?? headerOf(foreign.headers, 'x-request-id');
  const options: UpstreamErrorOptions = {
    status,
    upstreamCode,
    requestId,
    cause: summaryOf(foreign, status, upstreamCode),
  };
  const upstream = (code: UpstreamErrorCode, what: string, retryable: boolean) => {
    const retryAfterMs = retryable ? retryAfterMsOf(foreign.headers) : undefined;
    const detail = upstreamCode === undefined ? `${status}` : `${status} ${upstreamCode}`;
    return new UpstreamError(code, `${what} (${detail})`, { ...options, retryable, retryAfterMs });
  };
  if (status === 429) {
    if (QUOTA_CODES.has(upstreamCode ?? '') || QUOTA_CODES.has(textOf(foreign.type) ?? '')) {
      return upstream('DESCRIBE_QUOTA_EXHAUSTED', 'the account has no quota left', false);
    }
    return isBeyondLimit(foreign)
      ? upstream('DESCRIBE_RATE_LIMITED', "the request is larger than a minute's limit", false)
      : upstream('DESCRIBE_RATE_LIMITED', 'the API limits the rate', true);
  }
  if (status === 401 || status === 403)
    return upstream('DESCRIBE_AUTH', 'the API does not accept the key', false);
  if (status === 503) return upstream('DESCRIBE_OVERLOADED', 'the API is overloaded', true);
  if (status >= 500 || status === 408 || status === 409) {
    return upstream('DESCRIBE_UPSTREAM', 'the API failed', true);
  }
  if (status === 413 || SIZE_CODES.has(upstreamCode ?? '')) {
    return upstream('DESCRIBE_CONTEXT_TOO_LONG', "the request exceeds the model's context", false);
  }
  return fromRejection(foreign, upstreamCode, options, upstream);
}

/** One request that takes more than its limit allows in a whole minute has no code of its own; waiting never helps it. */
const isBeyondLimit = ({ message }: ForeignError): boolean =>
  /\brequest too large\b/i.test(textOf(message) ?? '');

function fromRejection(
  foreign: ForeignError,
  upstreamCode: string | undefined,
  options: UpstreamErrorOptions,
  upstream: (code: UpstreamErrorCode, what: string, retryable: boolean) => DescribeError,
): DescribeError {
  const imageCode = IMAGE_CODES[upstreamCode ?? ''] ?? imageCodeOfParam(foreign);
  if (imageCode === 'DESCRIBE_REFUSED') return upstream(imageCode, 'the API refused the image', false);
  if (imageCode !== undefined) {
    return new ImageError(imageCode, `the API can't use the image (${upstreamCode})`, {
      cause: options.cause,
    });
  }
  return upstream('DESCRIBE_UPSTREAM', 'the API rejected the request', false);
}

/**
 * Faults of an image that have no code of their own: an address that the API can't load is a wrong `url`, and an image of
 * more than 30,000 patches a wrong value that only the message explains.
 */
function imageCodeOfParam({ code, param, message }: ForeignError): ImageErrorCode | undefined {
  if (code !== 'invalid_value') return undefined;
  if (param === 'url') return 'DESCRIBE_IMAGE_FETCH_FAILED';
  return /\d+ patches\b.*\blimit\b/i.test(textOf(message) ?? '') ? 'DESCRIBE_IMAGE_TOO_LARGE' : undefined;
}

function fromConnection(foreign: ForeignError, error: unknown): DescribeError {
  if (foreign.name === 'SyntaxError') {
    return new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'the answer is not JSON', {
      retryable: true,
      contentType: 'application/json',
    });
  }
  const root = rootOf(foreign);
  if (root === undefined && !isUnansweredCall(error)) {
    // Neither the API's nor the network's: a mistake in a request or in code. Another attempt would make it again.
    return new UpstreamError('DESCRIBE_UPSTREAM', `the call could not be made (${nameOf(error)})`);
  }
  const detail = root === undefined ? '' : ` (${root.code})`;
  return new UpstreamError('DESCRIBE_UPSTREAM', `the connection to the API failed${detail}`, {
    retryable: true,
    cause:
      root === undefined ? undefined : Object.assign(new Error(systemMessageOf(root)), { code: root.code }),
  });
}

const nameOf = (error: unknown): string =>
  typeof error === 'object' && error !== null
    ? (codeTextOf((error as ForeignError).name) ?? 'Object')
    : typeof error;

/** What the system says names an address and a port; what anybody else says could repeat a header. */
const systemMessageOf = ({ code, message, syscall }: RootCause): string =>
  typeof syscall === 'string' && typeof message === 'string' ? message : code;

interface RootCause {
  readonly code: string;
  readonly message?: unknown;
  readonly syscall?: unknown;
}

/** The first error with a system or undici code down the chain of causes, such as `ECONNRESET`. */
function rootOf(foreign: ForeignError): RootCause | undefined {
  let current: ForeignError | undefined = foreign;
  for (let depth = 0; depth < 5 && current !== undefined; depth += 1) {
    const code = codeTextOf(current.code);
    if (code !== undefined) return { ...pick(current), code };
    current =
      typeof current.cause === 'object' && current.cause !== null
        ? (current.cause as ForeignError)
        : undefined;
  }
  return undefined;
}

const pick = ({ message, syscall }: ForeignError) => ({ message, syscall });

/** What may be kept of the original: its class, status and codes, and nothing that could repeat a secret. */
function summaryOf(foreign: ForeignError, status: number, upstreamCode: string | undefined): Error {
  const summary = new Error([status, upstreamCode].filter((part) => part !== undefined).join(' '));
  summary.name = codeTextOf(foreign.name) ?? 'APIError';
  return Object.assign(summary, {
    status,
    code: upstreamCode,
    type: codeTextOf(foreign.type),
    param: codeTextOf(foreign.param),
  });
}

/** A code is a short word; a server that puts anything else there could repeat the request. */
const codeTextOf = (value: unknown) =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

import { DescribeError } from '../errors/describe-error.ts';
import { ImageError, type ImageErrorCode } from '../errors/image-error.ts';
import { UpstreamError } from '../errors/upstream-error.ts';

/**
 * Who is to blame for a failed request:
 * - `item`: one of its images; the pack is halved until the image is found;
 * - `size`: all of them together; the pack is halved;
 * - `pack`: none of them; the failure is the whole pack's.
 */
export type VisionFault = 'item' | 'size' | 'pack';

/** What an error of any copy of the OpenAI client may carry. Recognised by shape, not by class. */
interface ForeignError {
  readonly name?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  readonly headers?: unknown;
  readonly requestID?: unknown;
}

/** Codes of a 400 that blame an image. Source: OpenAI, "Error codes" guide. */
const ITEM_CODES: Readonly<Record<string, ImageErrorCode | 'DESCRIBE_REFUSED'>> = {
  failed_to_download_image: 'DESCRIBE_IMAGE_FETCH_FAILED',
  invalid_image_url: 'DESCRIBE_IMAGE_FETCH_FAILED',
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
};

const SIZE_CODES = new Set(['context_length_exceeded', 'request_too_large']);

const QUOTA_CODES = new Set([
  'insufficient_quota',
  'credit_balance_exhausted',
  'billing_hard_limit_reached',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
]);

/** Judges by the shape of the error: ours by its code, the API's by its status and code. */
export function visionFaultOf(error: unknown): VisionFault {
  if (DescribeError.is(error)) {
    if (error.code.startsWith('DESCRIBE_IMAGE_') || error.code === 'DESCRIBE_REFUSED') return 'item';
    return error.code === 'DESCRIBE_CONTEXT_TOO_LONG' || error.code === 'DESCRIBE_OUTPUT_TRUNCATED'
      ? 'size'
      : 'pack';
  }
  const foreign = asForeign(error);
  if (foreign.status === 413) return 'size';
  if (foreign.status !== 400) return 'pack';
  if (SIZE_CODES.has(codeOf(foreign))) return 'size';
  return itemCodeOf(foreign) === undefined ? 'pack' : 'item';
}

/**
 * A `DescribeError` for whatever a request failed with; one of ours stays as it is. The API's own message is dropped,
 * for it may repeat a part of the request.
 */
export function asVisionError(error: unknown): DescribeError {
  if (DescribeError.is(error)) return error;
  const foreign = asForeign(error);
  const status = typeof foreign.status === 'number' ? foreign.status : undefined;
  if (status === undefined) {
    return new UpstreamError('DESCRIBE_UPSTREAM', 'the request failed', { cause: error, retryable: true });
  }
  const upstreamCode = codeOf(foreign) || undefined;
  const detail = upstreamCode === undefined ? `${status}` : `${status} ${upstreamCode}`;
  const requestId = typeof foreign.requestID === 'string' ? foreign.requestID : undefined;
  const cause = summaryOf(foreign, detail);
  const options = { status, upstreamCode, requestId, cause };
  const fault = visionFaultOf(error);
  const itemCode = fault === 'item' ? itemCodeOf(foreign) : undefined;
  if (itemCode === 'DESCRIBE_REFUSED') {
    return new UpstreamError(itemCode, `the API refused the image (${detail})`, options);
  }
  if (itemCode !== undefined) {
    return new ImageError(itemCode, `the API can't use the image (${detail})`, { cause });
  }
  if (fault === 'size') {
    return new UpstreamError('DESCRIBE_CONTEXT_TOO_LONG', `the request is too large (${detail})`, options);
  }
  return outageOf(status, detail, upstreamCode, {
    ...options,
    retryAfterMs: retryAfterMsOf(foreign.headers),
  });
}

function outageOf(
  status: number,
  detail: string,
  code: string | undefined,
  options: ConstructorParameters<typeof UpstreamError>[2],
): UpstreamError {
  if (status === 401 || status === 403) {
    return new UpstreamError('DESCRIBE_AUTH', `the API does not accept the key (${detail})`, options);
  }
  if (status === 429) {
    return QUOTA_CODES.has(code ?? '')
      ? new UpstreamError('DESCRIBE_QUOTA_EXHAUSTED', `the account has no quota left (${detail})`, options)
      : new UpstreamError('DESCRIBE_RATE_LIMITED', `the API limits the rate (${detail})`, {
          ...options,
          retryable: true,
        });
  }
  if (status === 503) {
    return new UpstreamError('DESCRIBE_OVERLOADED', `the API is overloaded (${detail})`, {
      ...options,
      retryable: true,
    });
  }
  const retryable = status >= 500 || status === 408 || status === 409;
  return new UpstreamError('DESCRIBE_UPSTREAM', `the API failed (${detail})`, { ...options, retryable });
}

/** What may be kept of the original: its class, status and codes, and nothing that could repeat a secret. */
function summaryOf({ name, status, code, type, param }: ForeignError, detail: string): Error {
  const summary = new Error(detail);
  summary.name = typeof name === 'string' ? name : 'APIError';
  return Object.assign(summary, { status, code, type, param });
}

const asForeign = (error: unknown): ForeignError =>
  typeof error === 'object' && error !== null ? (error as ForeignError) : {};

/** The API's own code; a used-up account may only say so in its type. */
function codeOf({ code, type }: ForeignError): string {
  if (typeof type === 'string' && QUOTA_CODES.has(type)) return type;
  return typeof code === 'string' ? code : '';
}

function itemCodeOf(foreign: ForeignError): ImageErrorCode | 'DESCRIBE_REFUSED' | undefined {
  // The API reports an address that it can't load as a wrong `url` parameter.
  if (foreign.code === 'invalid_value' && foreign.param === 'url') return 'DESCRIBE_IMAGE_FETCH_FAILED';
  return ITEM_CODES[codeOf(foreign)];
}

/** `retry-after-ms`, else `retry-after` in seconds; dates are left to callers with a wall clock. */
function retryAfterMsOf(headers: unknown): number | undefined {
  const milliseconds = Number(headerOf(headers, 'retry-after-ms') ?? Number.NaN);
  if (milliseconds > 0) return milliseconds;
  const seconds = Number(headerOf(headers, 'retry-after') ?? Number.NaN);
  return seconds > 0 ? seconds * 1_000 : undefined;
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const value =
    'get' in headers && typeof headers.get === 'function'
      ? (headers.get(name) as unknown)
      : (headers as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

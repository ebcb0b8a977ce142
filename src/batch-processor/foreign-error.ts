import type { ImageErrorCode } from '../errors/image-error.ts';

/** What an error of any copy of the OpenAI client may carry. Recognised by shape, not by class. */
export interface ForeignError {
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

const QUOTA_CODES = new Set([
  'insufficient_quota',
  'credit_balance_exhausted',
  'billing_hard_limit_reached',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
]);

export const asForeign = (error: unknown): ForeignError =>
  typeof error === 'object' && error !== null ? (error as ForeignError) : {};

/** The API's own code; a used-up account may only say so in its type. */
export function codeOf({ code, type }: ForeignError): string {
  if (typeof type === 'string' && QUOTA_CODES.has(type)) return type;
  return typeof code === 'string' ? code : '';
}

/** Tells a used-up account from a limit of the rate. */
export const isQuotaCode = (code: string | undefined): boolean => QUOTA_CODES.has(code ?? '');

/** What a 400 that blames an image means here; `undefined` for every other error. */
export function itemCodeOf(foreign: ForeignError): ImageErrorCode | 'DESCRIBE_REFUSED' | undefined {
  // The API reports an address that it can't load as a wrong `url` parameter.
  if (foreign.code === 'invalid_value' && foreign.param === 'url') return 'DESCRIBE_IMAGE_FETCH_FAILED';
  return ITEM_CODES[codeOf(foreign)];
}

/** `retry-after-ms`, else `retry-after` in seconds; dates are left to callers with a wall clock. */
export function retryAfterMsOf(headers: unknown): number | undefined {
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

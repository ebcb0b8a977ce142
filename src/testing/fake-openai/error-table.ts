import type { ApiErrorBody } from './api-error.ts';

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly param?: string;
}

const quota = (message: string): ErrorRow => ({ status: 429, type: 'insufficient_quota', message });
const image = (message: string, param?: string): ErrorRow => ({
  status: 400,
  type: 'invalid_request_error',
  message,
  ...(param === undefined ? {} : { param }),
});

const FORMATS = "['png', 'jpeg', 'gif', 'webp']";

/** Every code that a fault can answer with. Source: OpenAI, "Error codes", and error bodies quoted in public issues. */
export const ERROR_TABLE = {
  rate_limit_exceeded: {
    status: 429,
    type: 'requests',
    message: 'Rate limit reached for requests. Please try again later.',
  },
  slow_down: {
    status: 429,
    type: 'requests',
    message: 'The request rate rises too fast. Reduce it, hold it for 15 minutes and then raise it gradually.',
  },
  insufficient_quota: quota('You exceeded your current quota, please check your plan and billing details.'),
  credit_balance_exhausted: quota('Your credit balance is exhausted.'),
  billing_hard_limit_reached: {
    status: 429,
    type: 'invalid_request_error',
    message: 'Billing hard limit has been reached.',
  },
  organization_spend_limit_exceeded: quota('Your organization has reached its spend limit.'),
  project_spend_limit_exceeded: quota('Your project has reached its spend limit.'),
  organization_usage_limit_exceeded: quota('Your organization has reached its usage limit.'),
  server_is_overloaded: {
    status: 503,
    type: 'service_unavailable_error',
    message: 'The engine is currently overloaded, please try again later.',
  },
  invalid_api_key: {
    status: 401,
    type: 'invalid_request_error',
    message: 'Incorrect API key provided.',
  },
  unsupported_country_region_territory: {
    status: 403,
    type: 'request_forbidden',
    message: 'Country, region, or territory not supported',
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    message: 'The model does not exist or you do not have access to it.',
  },
  invalid_value: image('Timeout while downloading the image.', 'url'),
  failed_to_download_image: image('Failed to download image.'),
  invalid_image_url: image('Invalid image URL.'),
  image_too_large: image('The image is too large.'),
  image_file_too_large: image('The image file is too large.'),
  invalid_image: image('The image data you provided does not represent a valid image.'),
  invalid_image_format: image(
    `You uploaded an unsupported image. Please make sure your image has of one the following formats: ${FORMATS}.`,
  ),
  invalid_base64_image: image('Invalid base64 image_url.'),
  image_parse_error: image('You uploaded an unsupported image. Please make sure your image is valid.'),
  image_too_small: image('The image is too small.'),
  empty_image_file: image('The image file is empty.'),
  unsupported_image_media_type: image('Unsupported image media type.'),
  image_content_policy_violation: image('The image was rejected by the content policy.'),
  context_length_exceeded: image(
    "This model's maximum context length is exceeded. Please reduce the length of the messages.",
    'messages',
  ),
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** An error code of the API. */
export type ApiErrorCode = keyof typeof ERROR_TABLE;

/** The API's errors for a status without a code. */
const BY_STATUS: Readonly<Record<number, ErrorRow>> = {
  400: { status: 400, type: 'invalid_request_error', message: 'Bad request.' },
  401: ERROR_TABLE.invalid_api_key,
  403: { status: 403, type: 'invalid_request_error', message: 'You are not allowed to do this.' },
  404: { status: 404, type: 'invalid_request_error', message: 'Not found.' },
  408: { status: 408, type: 'timeout', message: 'Request timed out.' },
  409: {
    status: 409,
    type: 'conflict_error',
    message: 'The resource was updated by another request. Please try again.',
  },
  429: ERROR_TABLE.rate_limit_exceeded,
  500: {
    status: 500,
    type: 'server_error',
    message: 'The server had an error while processing your request. Sorry about that!',
  },
  503: {
    status: 503,
    type: 'server_error',
    message: 'That model is currently overloaded. Please try again.',
  },
};

/** Status and body for a code, or for a status alone (its code is `null`). */
export function lookUpError(
  code: string | undefined,
  status: number | undefined,
): { readonly status: number; readonly body: ApiErrorBody } {
  const known = code !== undefined && Object.hasOwn(ERROR_TABLE, code);
  const row: ErrorRow = known
    ? ERROR_TABLE[code as ApiErrorCode]
    : (BY_STATUS[status ?? 500] ?? { status: 500, type: 'server_error', message: `HTTP ${status ?? 500}` });
  return {
    status: status ?? row.status,
    body: { message: row.message, type: row.type, param: row.param ?? null, code: code ?? null },
  };
}

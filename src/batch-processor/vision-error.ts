import { DescribeError } from '../errors/describe-error.ts';
import { ImageError } from '../errors/image-error.ts';
import { UpstreamError } from '../errors/upstream-error.ts';
import {
  asForeign,
  codeOf,
  type ForeignError,
  isQuotaCode,
  itemCodeOf,
  retryAfterMsOf,
} from './foreign-error.ts';
import { visionFaultOf } from './vision-fault.ts';

/**
 * A `DescribeError` for whatever a request failed with; one of ours stays as it is. The API's own message is dropped,
 * for it may repeat a part of the request.
 */
export function asVisionError(error: unknown): DescribeError {
  if (DescribeError.is(error)) return error;
  const foreign = asForeign(error);
  const status = typeof foreign.status === 'number' ? foreign.status : undefined;
  if (status === undefined) {
    const code = codeOf(foreign);
    const cause = summaryOf({ name: foreign.name }, code === '' ? 'no answer' : code);
    return new UpstreamError('DESCRIBE_UPSTREAM', 'the request failed', { cause, retryable: true });
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
    return isQuotaCode(code)
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

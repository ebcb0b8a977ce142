import { DescribeError } from '../../errors/describe-error.ts';
import { ERROR_CODES, type ErrorCode } from '../../errors/error-code.ts';
import { ImageError, type ImageErrorCode } from '../../errors/image-error.ts';
import { UpstreamError, type UpstreamErrorCode } from '../../errors/upstream-error.ts';
import { answerNow } from '../../internal/async/user-callback.ts';
import { MAX_TIMER_DELAY_MS } from '../../internal/clock.ts';
import type { StoredFailure } from './cache-entry.ts';
import { MAX_TTL_SECONDS } from './cache-input.ts';

/** Milliseconds for which a failure is remembered; undefined for none. */
export function negativeTtlMs(
  negativeTtlSeconds: ((error: unknown) => number | undefined) | undefined,
  error: unknown,
): number | undefined {
  const seconds = negativeTtlSeconds === undefined ? undefined : answerNow(negativeTtlSeconds, error, undefined);
  return seconds !== undefined && seconds > 0 ? Math.min(seconds, MAX_TTL_SECONDS) * 1_000 : undefined;
}

const MAX_TEXT_LENGTH = 2_000;

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= MAX_TIMER_DELAY_MS;

/** Fields of an error that are remembered. Its cost is not: another call paid it. */
const FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  retryable: (value) => typeof value === 'boolean',
  status: (value) => Number.isInteger(value) && isAmount(value),
  requestId: isText,
  upstreamCode: isText,
  upstreamMessage: isText,
  contentType: isText,
  retryAfterMs: isAmount,
  breaker: isText,
  field: isText,
  option: isText,
  limit: isAmount,
  timeoutMs: isAmount,
};

/** Only errors of this package are remembered: their messages and fields hold no secret and no payload. */
export function storeFailure(error: unknown): StoredFailure | undefined {
  if (!DescribeError.is(error) || !isErrorCode(error.code)) return undefined;
  const fields = knownOf(error).filter(([name, value]) => FIELDS[name]?.(value));
  const message = error.message.slice(0, MAX_TEXT_LENGTH);
  return { code: error.code, message, fields: Object.fromEntries(fields) };
}

const knownOf = (fields: object): [string, unknown][] =>
  Object.entries(fields).filter(([name]) => Object.hasOwn(FIELDS, name));

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

/** Whether this version can revive it. Another version or program may have written it. */
export function isStoredFailure(payload: unknown): payload is StoredFailure {
  if (typeof payload !== 'object' || payload === null) return false;
  const { code, message, fields } = payload as Partial<StoredFailure>;
  if (!isText(message) || typeof fields !== 'object' || fields === null) return false;
  return isErrorCode(code) && knownOf(fields).every(([name, value]) => FIELDS[name]?.(value));
}

/** An error of the remembered class, code, message and fields. */
export function reviveFailure({ code, message, fields: stored }: StoredFailure): DescribeError {
  const fields = Object.fromEntries(knownOf(stored));
  if (UPSTREAM_CODES.includes(code)) return new UpstreamError(code as UpstreamErrorCode, message, fields);
  const error = code.startsWith('DESCRIBE_IMAGE_')
    ? new ImageError(code as ImageErrorCode, message, fields)
    : new DescribeError(code, message, fields);
  return Object.assign(error, fields);
}

const isErrorCode = (code: unknown): code is ErrorCode => (ERROR_CODES as readonly unknown[]).includes(code);

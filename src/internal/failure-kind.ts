import type { ErrorCode } from '../errors/error-code.ts';

/**
 * What a failure means to every stage of a call:
 * - `outage`: the service or the way to it failed; counts for breakers, worth another attempt;
 * - `throttle`: too fast for a limit; wait, neutral for breakers;
 * - `quota`: the account is used up; never retried, neutral for breakers;
 * - `auth`: the key is not accepted; never retried, neutral for breakers;
 * - `content`: the API answered, but what the model wrote is not what was asked for; worth another attempt, neutral for
 *   breakers;
 * - `item`: this image, prompt or call is at fault; never retried, neutral for breakers;
 * - `local`: this process refused or ran out of something of its own; neutral for breakers.
 */
export type FailureKind = 'outage' | 'throttle' | 'content' | 'quota' | 'auth' | 'item' | 'local';

const KINDS: { readonly [Code in ErrorCode]: FailureKind } = {
  DESCRIBE_CONFIG_INVALID: 'local',
  DESCRIBE_INPUT_INVALID: 'item',
  DESCRIBE_CLOSED: 'local',
  DESCRIBE_TIMEOUT: 'outage',
  DESCRIBE_IMAGE_FORBIDDEN: 'item',
  DESCRIBE_IMAGE_UNREADABLE: 'item',
  DESCRIBE_IMAGE_UNSUPPORTED: 'item',
  DESCRIBE_IMAGE_TOO_LARGE: 'item',
  DESCRIBE_IMAGE_FETCH_FAILED: 'item',
  DESCRIBE_POOL_TIMEOUT: 'local',
  DESCRIBE_POOL_CREATE_FAILED: 'outage',
  DESCRIBE_LEASE_INVALID: 'local',
  DESCRIBE_QUEUE_FULL: 'local',
  DESCRIBE_CIRCUIT_OPEN: 'local',
  DESCRIBE_RATE_LIMITED: 'throttle',
  DESCRIBE_OVERLOADED: 'outage',
  DESCRIBE_QUOTA_EXHAUSTED: 'quota',
  DESCRIBE_AUTH: 'auth',
  DESCRIBE_REFUSED: 'item',
  DESCRIBE_RESPONSE_INVALID: 'outage',
  DESCRIBE_OUTPUT_TRUNCATED: 'item',
  DESCRIBE_CONTEXT_TOO_LONG: 'item',
  DESCRIBE_UPSTREAM: 'outage',
  DESCRIBE_BATCH_HANDLER: 'local',
  DESCRIBE_CACHE: 'local',
  DESCRIBE_CACHE_MISS: 'item',
};

/**
 * The kind of a classified failure. An upstream failure that another attempt can't change is the caller's own; an invalid
 * answer that came with a status was valid as an answer of the API, and only its content is not of the schema.
 */
export function failureKind(error: {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status?: number;
}): FailureKind {
  if (error.code === 'DESCRIBE_UPSTREAM' && !error.retryable) return 'item';
  if (error.code === 'DESCRIBE_RESPONSE_INVALID' && error.status === 200) return 'content';
  return KINDS[error.code];
}

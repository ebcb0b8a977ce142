import type { BatchHandlerError } from './batch-handler-error.ts';
import type { CacheError, CacheMissError } from './cache-error.ts';
import type { CircuitOpenError } from './circuit-open-error.ts';
import type { ClosedError } from './closed-error.ts';
import type { ConfigError } from './config-error.ts';
import type { ErrorCode } from './error-code.ts';
import type { ImageError, ImageErrorCode } from './image-error.ts';
import type { InputError } from './input-error.ts';
import type { LeaseError, PoolCreateError, PoolTimeoutError } from './pool-error.ts';
import type { QueueFullError } from './queue-full-error.ts';
import type { TimeoutError } from './timeout-error.ts';
import type { UpstreamError, UpstreamErrorCode } from './upstream-error.ts';

interface OwnClasses {
  readonly DESCRIBE_CONFIG_INVALID: ConfigError;
  readonly DESCRIBE_INPUT_INVALID: InputError;
  readonly DESCRIBE_CLOSED: ClosedError;
  readonly DESCRIBE_TIMEOUT: TimeoutError;
  readonly DESCRIBE_POOL_TIMEOUT: PoolTimeoutError;
  readonly DESCRIBE_POOL_CREATE_FAILED: PoolCreateError;
  readonly DESCRIBE_LEASE_INVALID: LeaseError;
  readonly DESCRIBE_QUEUE_FULL: QueueFullError;
  readonly DESCRIBE_CIRCUIT_OPEN: CircuitOpenError;
  readonly DESCRIBE_BATCH_HANDLER: BatchHandlerError;
  readonly DESCRIBE_CACHE: CacheError;
  readonly DESCRIBE_CACHE_MISS: CacheMissError;
}

/** The class of each code. */
type ErrorsByCode = OwnClasses & { readonly [Code in UpstreamErrorCode]: UpstreamError } & {
  readonly [Code in ImageErrorCode]: ImageError;
};

/** The class of the errors of a code. */
export type DescribeErrorOf<Code extends ErrorCode> = ErrorsByCode[Code] & { readonly code: Code };

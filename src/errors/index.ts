export { BatchHandlerError } from './batch-handler-error.ts';
export { CacheError, CacheMissError } from './cache-error.ts';
export type {
  AttemptRecord,
  CallExplanation,
  FallbackRecord,
  RetryGiveUpReason,
} from './call-explanation.ts';
export { CircuitOpenError } from './circuit-open-error.ts';
export { ClosedError } from './closed-error.ts';
export { ConfigError, type ConfigIssue } from './config-error.ts';
export { DescribeError, type DescribeErrorJson, type DescribeErrorOptions } from './describe-error.ts';
export { ERROR_CODES, type ErrorCode } from './error-code.ts';
export type { DescribeErrorOf } from './errors-by-code.ts';
export { type HttpStatusAnswer, httpStatusOf } from './http-status-of.ts';
export { ImageError, type ImageErrorCode, type ImageErrorOptions } from './image-error.ts';
export { InputError } from './input-error.ts';
export { LeaseError, PoolCreateError, PoolTimeoutError } from './pool-error.ts';
export { QueueFullError } from './queue-full-error.ts';
export { TimeoutError } from './timeout-error.ts';
export { UpstreamError, type UpstreamErrorCode, type UpstreamErrorOptions } from './upstream-error.ts';

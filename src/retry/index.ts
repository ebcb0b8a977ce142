export {
  type AttemptContext,
  type RetryEvent,
  type RetryOptions,
  RetryPolicy,
  type RetryRunOptions,
  retryOptionChecks,
} from './retry-policy.ts';

export { RetryBudget, type RetryBudgetOptions, type RetryBudgetStats } from './retry-budget.ts';
export {
  type RetryClass,
  type RetryClassPolicy,
  type RetryEvent,
  type RetryGiveUpEvent,
  type RetryGiveUpReason,
  type RetryOptions,
  retryOptionChecks,
} from './retry-options.ts';
export { type AttemptContext, RetryPolicy, type RetryRunOptions, type RetryStats } from './retry-policy.ts';

export type { RetryGiveUpReason } from '../errors/call-explanation.ts';
export { RetryBudget, type RetryBudgetOptions, type RetryBudgetStats } from './retry-budget.ts';
export {
  RETRY_SPEC,
  type RetryClass,
  type RetryClassPolicy,
  type RetryEvent,
  type RetryGiveUpEvent,
  type RetryOptions,
  type RetryQuestion,
} from './retry-options.ts';
export { type AttemptContext, RetryPolicy, type RetryRunOptions, type RetryStats } from './retry-policy.ts';

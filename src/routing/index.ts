export type { FailureScope } from '../errors/failure-meaning.ts';
export type { Random } from '../internal/backoff.ts';
export {
  RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetStats,
  type RetryClass,
  type RetryClassPolicy,
  type RetryEvent,
  type RetryGiveUpEvent,
  type RetryGiveUpReason,
  type RetryOptions,
  type RetryQuestion,
  type RetryStats,
} from '../retry/index.ts';
export type { LimitPressure, QuotaPressure } from './limits/limit-pressure.ts';
export type { QuotaDimensionStats } from './limits/quota-limit.ts';
export type { QuotaStats, SharedQuotaStats } from './limits/quota-stats.ts';
export type { QuotaAnswer, QuotaRefusal, RateLimitReading, RateLimitSnapshot } from './limits/rate-limit-snapshot.ts';
export { QuotaLimiter } from './quota/quota-limiter.ts';
export type { QuotaLimiterOptions, QuotaLimits } from './quota/quota-limiter-options.ts';
export type { QuotaPermit } from './quota/quota-permit.ts';
export { QuotaRegistry, type QuotaRegistryOptions } from './quota/quota-registry.ts';
export type { RouteAnswer, RouteAttempt, RouteJob, RouteLeg } from './router/route-job.ts';

export { Router } from './router/router.ts';

export type { BreakerWait, RouterEndpoint, RouterOptions } from './router/router-options.ts';
export type { RouterPermit, RouterQuota } from './router/router-quota.ts';
export type {
  EndpointCondition,
  EndpointModelStats,
  EndpointStats,
  RouterStats,
} from './router/router-stats.ts';
export type { AtomicScript } from './shared-quota/atomic-script.ts';

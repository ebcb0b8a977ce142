export type { AtomicScript } from './atomic-script.ts';
export { modelFamilyOf } from './model-family.ts';
export type { QuotaDimensionStats } from './quota-dimension.ts';
export { QuotaLimiter } from './quota-limiter.ts';
export type { QuotaLimiterOptions, QuotaLimits } from './quota-limiter-options.ts';
export type { QuotaAnswer, QuotaPermit, QuotaRefusal } from './quota-permit.ts';
export { QuotaRegistry, type QuotaRegistryOptions } from './quota-registry.ts';
export type { SharedQuotaStats } from './quota-source.ts';
export type { QuotaStats } from './quota-stats.ts';
export type { RateLimitReading, RateLimitSnapshot } from './rate-limit-snapshot.ts';
export type { RouteAnswer, RouteAttempt, RouteJob, RouteLeg } from './route-job.ts';
export type { BreakerWait } from './route-search.ts';
export { Router } from './router.ts';
export type { RouterEndpoint } from './router-endpoint.ts';
export type { RouterOptions } from './router-options.ts';
export type { RouterPermit, RouterQuota } from './router-quota.ts';
export type {
  EndpointCondition,
  EndpointModelStats,
  EndpointStats,
  RouterStats,
} from './router-stats.ts';

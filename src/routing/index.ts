export type { AtomicScript } from './atomic-script.ts';
export { modelFamilyOf } from './model-family.ts';
export type { QuotaDimensionStats } from './quota-dimension.ts';
export { QuotaLimiter, type QuotaStats } from './quota-limiter.ts';
export type { QuotaLimiterOptions, QuotaLimits } from './quota-limiter-options.ts';
export type { QuotaAnswer, QuotaPermit, QuotaRefusal } from './quota-permit.ts';
export { QuotaRegistry, type QuotaRegistryOptions } from './quota-registry.ts';
export type { RateLimitReading, RateLimitSnapshot } from './rate-limit-snapshot.ts';

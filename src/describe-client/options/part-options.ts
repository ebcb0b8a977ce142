import {
  VISION_BATCH_SPEC,
  type VisionDescriptionBatchOptions,
} from '../../batch-processor/vision-description-batch-processor.ts';
import { BREAKER_SPEC, type CircuitBreakerOptions } from '../../circuit-breaker/circuit-breaker-options.ts';
import type { CircuitBreaker } from '../../circuit-breaker/index.ts';
import type { OptionCheck } from '../../internal/options/option-checks.ts';
import { type OpenAIConnectionPoolOptions, POOL_SPEC } from '../../openai/pool/openai-pool-options.ts';
import { MONITOR_SPEC, type PerformanceMonitorOptions } from '../../performance-monitor/monitor-options.ts';
import { CACHE_SPEC, REDIS_TARGET_SPEC, type RedisCacheOptions } from '../../redis-cache/cache-options.ts';
import type { RedisTargetOptions } from '../../redis-cache/redis/redis-target.ts';
import { RETRY_SPEC, type RetryOptions } from '../../retry/retry-options.ts';

/*
 * The options of parts that a client takes. Options that the client decides are absent from the types. Where JavaScript
 * passes one, the error says where to set it.
 */

const CLOCK = '`clock` of the client';

const POOL_ELSEWHERE = {
  organization: '`organization` of the client or endpoint',
  project: '`project` of the client or endpoint',
  apiVersion: '`apiVersion` of the client or endpoint',
  headers: '`headers` of the client or endpoint',
  requestTimeoutMs: '`attemptTimeoutMs` of the client',
  proxy: '`proxy` of the client',
  tls: '`tls` of the client',
  permits: '`tenants.maxConnections` of the client',
  warmUpOnStart: '`warmUpOnStart` of the client',
  clock: CLOCK,
} as const;

const BREAKER_ELSEWHERE = {
  timeoutMs: '`attemptTimeoutMs` of the client',
  fallback: '`fallback` of the client',
  halfOpenMaxWaitMs: 'none: the calls of a client wait in its router only',
  halfOpenMaxWaiting: 'none: the calls of a client wait in its router only',
  clock: CLOCK,
} as const;

const OBSERVED_ELSEWHERE = { logger: '`logger` of the client', clock: CLOCK } as const;

const BATCH_ELSEWHERE = {
  model: '`model` of the client',
  prompt: '`prompt` of the client',
  detail: '`detail` of the client',
  maxOutputTokens: '`maxOutputTokens` of the client',
  images: '`images` of the client',
  retry: '`retry` of the client',
  handlerTimeoutMs: '`timeoutMs` of the client',
  maxQueueSize: '`limits.maxQueuedCalls` of the client',
  onQueueFull: '`limits.maxQueuedCalls` of the client',
  maxWaiting: '`limits.maxQueuedCalls` of the client',
  estimateTokens: '`models` of the client',
  classify: 'none: the client tells which image is at fault',
  clock: CLOCK,
} as const;

const RETRY_ELSEWHERE = { isPaced: 'none: the client tells which failures its limits pace', clock: CLOCK } as const;

/** The options of the connection pools that the client leaves to you. */
export type ClientPoolOptions = Omit<OpenAIConnectionPoolOptions, keyof typeof POOL_ELSEWHERE>;

/** The options of the circuit breakers that the client leaves to you. */
export type ClientBreakerOptions = Omit<CircuitBreakerOptions, keyof typeof BREAKER_ELSEWHERE>;

/** A breaker around attempts: its action runs the function that it gets, with the breaker's own signal. */
export type AttemptBreaker = CircuitBreaker<
  [run: (breakerSignal: AbortSignal | undefined) => Promise<unknown>],
  unknown
>;

/** The options of the cache that the client leaves to you. */
export type ClientCacheOptions = Omit<RedisCacheOptions, keyof RedisTargetOptions | keyof typeof OBSERVED_ELSEWHERE>;

/** The options of the monitor that the client leaves to you. */
export type ClientMonitorOptions = Omit<PerformanceMonitorOptions, keyof typeof OBSERVED_ELSEWHERE>;

/** The options of the batch processor that the client leaves to you. */
export type BatchOptions = Omit<VisionDescriptionBatchOptions, keyof typeof BATCH_ELSEWHERE>;

/** The options of the retry that the client leaves to you. */
export type ClientRetryOptions = Omit<RetryOptions, keyof typeof RETRY_ELSEWHERE>;

const setElsewhere =
  (where: string): OptionCheck =>
  (value, option) =>
    value === undefined ? [] : [{ option, expected: `nothing here (set ${where})`, got: 'an option' }];

/** The spec of a part, in which an option that the client decides is refused. */
const without = <Spec extends object>(spec: Spec, elsewhere: Readonly<Record<string, string>>) => ({
  ...spec,
  ...Object.fromEntries(Object.entries(elsewhere).map(([name, where]) => [name, setElsewhere(where)])),
});

export const CLIENT_POOL_SPEC = without(POOL_SPEC, POOL_ELSEWHERE);
export const CLIENT_BREAKER_SPEC = without(BREAKER_SPEC, BREAKER_ELSEWHERE);
export const CLIENT_CACHE_SPEC = without(CACHE_SPEC, {
  ...Object.fromEntries(Object.keys(REDIS_TARGET_SPEC).map((name) => [name, '`redis` of the client'])),
  ...OBSERVED_ELSEWHERE,
});
export const CLIENT_MONITOR_SPEC = without(MONITOR_SPEC, OBSERVED_ELSEWHERE);
export const CLIENT_BATCH_SPEC = without(VISION_BATCH_SPEC, BATCH_ELSEWHERE);
export const CLIENT_RETRY_SPEC = without(RETRY_SPEC, RETRY_ELSEWHERE);

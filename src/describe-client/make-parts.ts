import { VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import { MAX_TIMER_DELAY_MS } from '../internal/clock.ts';
import { definedOf } from '../internal/options/defined-of.ts';
import { hasMethods } from '../internal/options/option-checks.ts';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { PerformanceMonitor } from '../performance-monitor/index.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { RetryPolicy } from '../retry/index.ts';
import { isPacedByLimiter, isWorthAnotherAttempt } from './attempt/attempt-failure.ts';
import { type BatchedVision, faultOf } from './attempt/vision-asker.ts';
import type { Logger } from './options/client-logger.ts';
import type { ClientSettings } from './options/client-settings.ts';
import { isInstance, madeByUser } from './options/client-spec.ts';
import type { EndpointDescription } from './options/endpoint-options.ts';
import { STALE_GRACE_SECONDS } from './options/fallback-option.ts';

/** A description costs money. While Redis is away, entries in memory stay valid until their own time to live ends. */
const OUTAGE_TRUST_MS = 600_000;

/** The user's own monitor, or one by options. */
export function makeMonitor({ monitor, clock, logger }: ClientSettings): PerformanceMonitor | undefined {
  if (monitor === false) return undefined;
  if (isInstance(monitor, 'incrementCounter')) return monitor as PerformanceMonitor;
  return new PerformanceMonitor({ ...definedOf(monitor as object | undefined), clock, logger });
}

/** The user's own cache, or one by options. */
export function makeCache({ cache, redis, fallback, clock, logger }: ClientSettings): RedisCache | undefined {
  if (cache === false) return undefined;
  if (isInstance(cache, 'getOrSet')) return cache as RedisCache;
  return new RedisCache({
    // A missing driver is no reason to fail a call. The cache works in memory and reports it in its health.
    onDriverMissing: 'memory-only',
    outageTrustMs: OUTAGE_TRUST_MS,
    ...(fallback?.includes('stale') ? { graceSeconds: STALE_GRACE_SECONDS } : {}),
    ...definedOf(cache as object | undefined),
    ...definedOf(redis),
    clock,
    logger,
  });
}

/** Logs when the user's own cache loses Redis, and when it is back. The returned function ends that. */
export function logCacheTroubles(cache: RedisCache | undefined, logger: Logger): () => void {
  // It may be another object with the same methods.
  if (!hasMethods(cache, ['on'])) return () => {};
  const troubled = cache?.on('redisTroubled', ({ reason }) =>
    logger.warn({ reason }, "the cache can't use Redis as it should"),
  );
  const recovered = cache?.on('redisRecovered', () => logger.info({}, 'Redis can be used again'));
  return () => {
    troubled?.();
    recovered?.();
  };
}

export const makeRetry = ({ retry, clock }: ClientSettings): RetryPolicy =>
  new RetryPolicy({
    isRetryable: isWorthAnotherAttempt,
    isPaced: isPacedByLimiter,
    ...definedOf(retry === false ? { maxAttempts: 1 } : retry),
    clock,
  });

const POOL_METHODS = ['use', 'warmUp', 'getStats', 'close', 'destroy'];

/** One endpoint's pool, by options or by the user's function; none for an endpoint without a key. */
export function makePool(
  { pool, proxyTo, tls, missingKeys, clock }: ClientSettings,
  endpoint: EndpointDescription,
): OpenAIConnectionPool | undefined {
  const { name, apiKey, baseURL, organization, project, headers, apiVersion } = endpoint;
  if (missingKeys.has(name)) return undefined;
  if (typeof pool === 'function')
    return madeByUser(
      pool(definedOf(endpoint) as EndpointDescription),
      'pool',
      'an OpenAIConnectionPool',
      POOL_METHODS,
    );
  return new OpenAIConnectionPool(apiKey, baseURL, {
    ...pool,
    ...{ organization, project, headers, apiVersion, proxy: proxyTo(baseURL), tls, clock },
  });
}

export const makeBatch = (settings: ClientSettings, batched: BatchedVision): VisionDescriptionBatchProcessor => {
  const { batch, model, prompt, detail, maxOutputTokens, limits, clock } = settings;
  return new VisionDescriptionBatchProcessor(batched.sender, {
    ...batch,
    ...{ model, prompt, detail, maxOutputTokens, clock },
    // The client has admitted them already.
    maxQueueSize: limits.maxQueuedCalls,
    // Every image has its own deadline, so a pack ends with the last of them.
    handlerTimeoutMs: MAX_TIMER_DELAY_MS,
    estimateTokens: batched.estimateTokens,
    classify: faultOf,
    retry: false,
  });
};

import { VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import { CircuitBreaker } from '../circuit-breaker/index.ts';
import { ConfigError } from '../errors/config-error.ts';
import { ignoreRejection } from '../internal/async/user-callback.ts';
import { type Clock, MAX_TIMER_DELAY_MS } from '../internal/clock.ts';
import { definedOf } from '../internal/options/defined-of.ts';
import { hasMethods } from '../internal/options/option-checks.ts';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { PerformanceMonitor } from '../performance-monitor/index.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { RetryPolicy } from '../retry/index.ts';
import { countsForBreaker, isPacedByLimiter, isWorthAnotherAttempt } from './attempt/attempt-failure.ts';
import { type AttemptBreaker, BreakerGroup } from './attempt/breaker-stage.ts';
import { type BatchedVision, faultOf } from './attempt/vision-asker.ts';
import type { Logger } from './options/client-logger.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type { ConfigIssues } from './options/config-issues.ts';
import type { EndpointDescription } from './options/endpoint-options.ts';
import { STALE_GRACE_SECONDS } from './options/fallback-option.ts';
import { missingKeyError } from './options/missing-key.ts';
import { type ClientSettings, isInstance } from './options/resolve-options.ts';
import type { CallMetrics } from './reports/call-metrics.ts';

const OUTAGE_TRUST_MS = 600_000;

/** The user's own monitor, or one by options and environment. */
export function makeMonitor(
  { monitor }: DescribeClientOptions,
  { environment }: ClientSettings,
  clock: Clock,
  logger: Logger,
): PerformanceMonitor | undefined {
  if (monitor === false) return undefined;
  if (isInstance(monitor, 'incrementCounter')) return monitor as PerformanceMonitor;
  if (monitor === undefined && environment.monitor.enabled === false) return undefined;
  return new PerformanceMonitor({ clock, logger, ...definedOf(monitor as object | undefined) });
}

export function makeCache(
  { cache, fallback }: DescribeClientOptions,
  { redis }: ClientSettings,
  clock: Clock,
  logger: Logger,
): RedisCache | undefined {
  if (cache === false) return undefined;
  if (isInstance(cache, 'getOrSet')) return cache as RedisCache;
  refuseNames(
    cache,
    [
      'host',
      'port',
      'username',
      'password',
      'db',
      'url',
      'tls',
      'family',
      'client',
      'cluster',
      'sentinels',
      'sentinelName',
    ],
    "Redis is named by the client's option redis",
  );
  // A missing driver is no reason to fail a call: the cache says so in its health and works in memory.
  return new RedisCache({
    clock,
    logger,
    onDriverMissing: 'memory-only',
    // A description costs money: while Redis is away, memory is believed until its own time to live is over.
    outageTrustMs: OUTAGE_TRUST_MS,
    ...(fallback?.includes('stale') ? { graceSeconds: STALE_GRACE_SECONDS } : {}),
    ...definedOf(cache as object | undefined),
    ...redis,
  });
}

/** Lets the client's logger hear of the user's own cache too; what it returns ends that. */
export function hearOwnCache(cache: RedisCache | undefined, logger: Logger): () => void {
  // It may be another one with the same methods.
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

export function makeRetry({ retry }: DescribeClientOptions, clock: Clock): RetryPolicy {
  return new RetryPolicy({
    isRetryable: isWorthAnotherAttempt,
    isPaced: isPacedByLimiter,
    ...definedOf(retry === false ? { maxAttempts: 1 } : retry),
    clock,
  });
}

/** Stands in for a key where there is none: a request that asks for it is not sent. */
const noKey = () => Promise.reject(new Error('there is no key'));

/**
 * One endpoint's pool, by options or by the user's function. Without a key it has ended before its first use, and each
 * call of it rejects with the reason.
 */
export function makePool(
  { pool, tls }: DescribeClientOptions,
  { environment, proxyTo, missingKeys }: ClientSettings,
  endpoint: EndpointDescription,
  issues: ConfigIssues,
  clock: Clock,
): OpenAIConnectionPool | undefined {
  const { apiKey, baseURL, organization, project, headers, apiVersion } = endpoint;
  const missing = missingKeys.get(endpoint.name);
  // With a wrong key or address nothing will be made in the end; the options are looked at all the same.
  const isWrong = ['apiKey', 'baseURL', 'OPENAI_BASE_URL', 'endpoints'].some((option) => issues.has(option));
  const usable = missing === undefined && !isWrong;
  if (typeof pool === 'function' && missing === undefined)
    return isWrong ? undefined : checkedPool(pool(definedOf(endpoint) as EndpointDescription));
  const options = typeof pool === 'function' ? undefined : pool;
  const made = new OpenAIConnectionPool(usable ? apiKey : noKey, isWrong ? undefined : baseURL, {
    ...environment.pool,
    proxy: proxyTo(baseURL),
    tls,
    clock,
    ...definedOf(options),
    ...(isWrong ? {} : definedOf({ organization, project, apiVersion })),
    headers: { ...options?.headers, ...(isWrong ? {} : headers) },
    ...(usable ? {} : { warmUpOnStart: false }),
  });
  if (missing !== undefined) void made.destroy(missingKeyError(missing));
  return made;
}

export function makeBreakers(
  { circuitBreaker }: DescribeClientOptions,
  { model }: ClientSettings,
  endpoint: EndpointDescription,
  clock: Clock,
  logger: Logger,
  metrics: CallMetrics,
): BreakerGroup {
  if (circuitBreaker === false) return new BreakerGroup(endpoint.name, undefined, () => {});
  if (typeof circuitBreaker === 'function') {
    return new BreakerGroup(
      endpoint.name,
      (name) => checkedBreaker(circuitBreaker(endpoint, name)),
      () => {},
    );
  }
  refuseNames(circuitBreaker, ['fallback'], 'a description that is none must not be cached');
  const create = (name: string): AttemptBreaker => {
    const breaker: AttemptBreaker = new CircuitBreaker<Parameters<AttemptBreaker['fire']>, unknown>(
      `${endpoint.name}:${name}`,
      function (run) {
        // Closed and without a time limit it gives no call up: nothing to listen to.
        const mayGiveUp = breaker.state !== 'CLOSED' || circuitBreaker?.timeoutMs !== undefined;
        return run(mayGiveUp ? this.signal : undefined);
      },
      { clock, isFailure: countsForBreaker, ...definedOf(circuitBreaker) },
    );
    breaker.on('stateChanged', ({ name: breakerName, from, to }) => {
      metrics.breakerMoved(breakerName, to);
      logger[to === 'CLOSED' ? 'info' : 'warn']({ breaker: breakerName, from, to }, 'circuit breaker changed state');
    });
    return breaker;
  };
  const group = new BreakerGroup(endpoint.name, create, (breaker) => breaker.shutdown());
  // The first one is made now, so that wrong options are found now.
  group.of(endpoint.model ?? model);
  return group;
}

export function makeBatch(
  { batch }: DescribeClientOptions,
  settings: ClientSettings,
  batched: BatchedVision,
  clock: Clock,
): VisionDescriptionBatchProcessor | undefined {
  if (batch === undefined || batch === false) return undefined;
  const { environment, model, prompt, detail, maxOutputTokens } = settings;
  const options = batch === 'auto' ? {} : batch;
  refuseNames(
    options,
    ['model', 'prompt', 'detail', 'maxOutputTokens', 'estimateTokens', 'classify', 'retry'],
    "it is the client's own",
  );
  return new VisionDescriptionBatchProcessor(batched.sender, {
    model,
    prompt,
    detail,
    maxOutputTokens,
    clock,
    ...environment.batch,
    // The client has admitted them already.
    maxQueueSize: settings.limits.maxQueuedCalls,
    // Every image has a deadline of its own, so that a pack ends with the last of them.
    handlerTimeoutMs: MAX_TIMER_DELAY_MS,
    estimateTokens: batched.estimateTokens,
    classify: faultOf,
    ...definedOf(options),
    retry: false,
  });
}

/** Options of a part that its own constructor would take, but that the client decides. */
function refuseNames(options: object | undefined, names: readonly string[], why: string): void {
  const given = names.filter((name) => options !== undefined && Object.hasOwn(options, name));
  if (given.length === 0) return;
  const issues = given.map((option) => ({ option, expected: `nothing: ${why}`, got: 'an option' }));
  throw new ConfigError('createDescribeClient', issues);
}

function checkedPool(pool: OpenAIConnectionPool): OpenAIConnectionPool {
  if (hasMethods(pool, ['use', 'warmUp', 'getStats', 'close', 'destroy'])) return pool;
  ignoreRejection(pool);
  throw new ConfigError('createDescribeClient', [
    { option: 'result', expected: 'an OpenAIConnectionPool', got: 'something else' },
  ]);
}

function checkedBreaker(breaker: AttemptBreaker): AttemptBreaker {
  if (hasMethods(breaker, ['fire', 'getStats'])) return breaker;
  ignoreRejection(breaker);
  throw new ConfigError('createDescribeClient', [
    { option: 'circuitBreaker.result', expected: 'a CircuitBreaker', got: 'something else' },
  ]);
}

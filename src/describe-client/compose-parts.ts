import { VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import { CircuitBreaker } from '../circuit-breaker/index.ts';
import { createImageLoader, type ImageLoader, imageIdentity, type LoadedImage } from '../image/index.ts';
import { type Clock, MAX_TIMER_DELAY_MS, systemClock } from '../internal/clock.ts';
import { definedOf } from '../internal/defined-of.ts';
import { OpenAIConnectionPool } from '../openai/index.ts';
import { PerformanceMonitor } from '../performance-monitor/index.ts';
import { generateKey, RedisCache, SingleFlight } from '../redis-cache/index.ts';
import { RetryPolicy } from '../retry/index.ts';
import { type AttemptBreaker, BreakerGroup } from './breaker-group.ts';
import type { CachedDescription } from './build-result.ts';
import { CallMetrics } from './call-metrics.ts';
import type { DescribeClientOptions, EndpointDescription } from './client-options.ts';
import { ConfigIssues } from './config-issues.ts';
import { type Logger, safeLogger } from './logger.ts';
import type { NormalisedRequest } from './normalise-request.ts';
import { type ClientSettings, isInstance, resolveOptions } from './resolve-options.ts';
import { countsForBreaker, isWorthAnotherAttempt, UpstreamCaller } from './upstream-caller.ts';
import { type AskVision, askSingly, BatchedVision } from './vision-asker.ts';

/** A client has one endpoint; its name in stats, metrics and `explain`. */
const ENDPOINT = 'default';

/** Everything a client is made of. */
export interface ClientParts {
  readonly settings: ClientSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly loader: ImageLoader;
  readonly pools: Readonly<Record<string, OpenAIConnectionPool>>;
  readonly breakers: BreakerGroup;
  readonly cache: RedisCache | undefined;
  /** Joins equal calls that pass the cache by. */
  readonly flights: SingleFlight<CachedDescription>;
  readonly monitor: PerformanceMonitor | undefined;
  readonly batch: VisionDescriptionBatchProcessor | undefined;
  readonly metrics: CallMetrics;
  /** What two requests must share to have one description. */
  readonly keyOf: (image: LoadedImage, request: NormalisedRequest) => string;
  readonly ask: AskVision;
  /** Ends, in the order of a call's way, what the client made. */
  close(): Promise<void>;
  destroy(reason: unknown): Promise<void>;
}

/**
 * Makes the parts of a client; nothing is opened yet.
 * @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong in options, parts' options and environment.
 */
export function composeParts(
  options: DescribeClientOptions,
  variables: Readonly<Record<string, string | undefined>> = process.env,
): ClientParts {
  const issues = new ConfigIssues();
  const settings = resolveOptions(options, variables, issues);
  const given = settings.usable;
  const { clock = systemClock } = given;
  const logger = safeLogger(given.logger);
  const endpoint: EndpointDescription = {
    name: ENDPOINT,
    apiKey: settings.apiKey,
    ...(settings.baseURL === undefined ? {} : { baseURL: settings.baseURL }),
  };

  const monitor = issues.attempt('monitor', () => makeMonitor(given, settings, clock, logger));
  const metrics = new CallMetrics(monitor);
  const loader = issues.attempt('images', () => createImageLoader({ ...given.images, clock }));
  const cache = issues.attempt('cache', () => makeCache(given, settings, clock, logger));
  const retry = issues.attempt('retry', () => makeRetry(given, clock));
  const breakers = issues.attempt('circuitBreaker', () =>
    makeBreakers(given, settings, endpoint, clock, logger, metrics),
  );
  const pool = issues.attempt('pool', () => makePool(given, settings, endpoint, issues, clock));

  const caller = new UpstreamCaller({
    endpoint: ENDPOINT,
    connections: { use: (run, useOptions) => requirePart(pool).use(run, useOptions) },
    guard: (model, run) => requirePart(breakers).guard(model, run),
    retry: retry ?? new RetryPolicy(),
    attemptTimeoutMs: settings.attemptTimeoutMs,
    clock,
    onAttempt: metrics.attemptEnded,
  });
  const batched = new BatchedVision(caller);
  const batch = issues.attempt('batch', () => makeBatch(given, settings, batched, clock));
  issues.throwIfAny('createDescribeClient');

  const ownPool = typeof given.pool === 'function' ? undefined : pool;
  const ownCache = isInstance(given.cache, 'getOrSet') ? undefined : cache;
  const ownMonitor = isInstance(given.monitor, 'incrementCounter') ? undefined : monitor;
  const finish = async () => {
    breakers?.shutdown();
    await ownCache?.close();
    ownMonitor?.close();
  };
  return {
    settings,
    clock,
    logger,
    loader: requirePart(loader),
    pools: { [ENDPOINT]: requirePart(pool) },
    breakers: requirePart(breakers),
    cache,
    flights: new SingleFlight<CachedDescription>(),
    monitor,
    batch,
    metrics,
    keyOf: (image, { model, prompt, detail, schema }) =>
      generateKey(
        'description',
        imageIdentity(image),
        model,
        prompt,
        detail,
        schema?.name,
        schema?.jsonSchema,
      ),
    ask: batch === undefined ? askSingly(caller) : batched.ask(batch),
    close: async () => {
      await batch?.close();
      await ownPool?.close();
      await finish();
    },
    destroy: async (reason) => {
      await batch?.destroy(reason);
      await ownPool?.destroy(reason);
      await finish();
    },
  };
}

function makeMonitor(
  { monitor }: DescribeClientOptions,
  { environment }: ClientSettings,
  clock: Clock,
  logger: Logger,
): PerformanceMonitor | undefined {
  if (monitor === false) return undefined;
  if (isInstance(monitor, 'incrementCounter')) return monitor as PerformanceMonitor;
  if (monitor === undefined && environment.performanceMonitoringEnabled === false) return undefined;
  return new PerformanceMonitor({ clock, logger, ...definedOf(monitor as object | undefined) });
}

function makeCache(
  { cache }: DescribeClientOptions,
  { redis }: ClientSettings,
  clock: Clock,
  logger: Logger,
): RedisCache | undefined {
  if (cache === false) return undefined;
  if (isInstance(cache, 'getOrSet')) return cache as RedisCache;
  // A missing driver is no reason to fail a call: the cache says so in its health and works in memory.
  const made = new RedisCache({
    clock,
    onDriverMissing: 'memory-only',
    ...(cache as object | undefined),
    ...redis,
  });
  made.on('redisLost', () => logger.warn({}, 'Redis is lost: the cache goes on in memory'));
  made.on('redisReady', () => logger.info({}, 'Redis is ready'));
  return made;
}

function makeRetry({ retry }: DescribeClientOptions, clock: Clock): RetryPolicy {
  return new RetryPolicy({
    isRetryable: isWorthAnotherAttempt,
    ...definedOf(retry === false ? { maxAttempts: 1 } : retry),
    clock,
  });
}

function makePool(
  { pool }: DescribeClientOptions,
  { environment }: ClientSettings,
  { apiKey, baseURL, name }: EndpointDescription,
  issues: ConfigIssues,
  clock: Clock,
): OpenAIConnectionPool | undefined {
  // With a wrong key or address nothing will be made in the end; the options are looked at all the same.
  const usable = !issues.has('apiKey') && !issues.has('baseURL');
  if (typeof pool === 'function') {
    return usable ? pool({ name, apiKey, ...(baseURL === undefined ? {} : { baseURL }) }) : undefined;
  }
  return new OpenAIConnectionPool(usable ? apiKey : 'unusable', usable ? baseURL : undefined, {
    min: environment.poolMinSize,
    max: environment.poolMaxSize,
    clock,
    ...definedOf(pool),
  });
}

function makeBreakers(
  { circuitBreaker }: DescribeClientOptions,
  { model }: ClientSettings,
  endpoint: EndpointDescription,
  clock: Clock,
  logger: Logger,
  metrics: CallMetrics,
): BreakerGroup {
  if (circuitBreaker === false) return new BreakerGroup(ENDPOINT, undefined, () => {});
  if (typeof circuitBreaker === 'function') {
    return new BreakerGroup(
      ENDPOINT,
      (name) => circuitBreaker(endpoint, name),
      () => {},
    );
  }
  const create = (name: string): AttemptBreaker => {
    const breaker: AttemptBreaker = new CircuitBreaker<Parameters<AttemptBreaker['fire']>, unknown>(
      `${ENDPOINT}:${name}`,
      function (run) {
        return run(this.signal);
      },
      { clock, isFailure: countsForBreaker, ...definedOf(circuitBreaker) },
    );
    breaker.on('stateChanged', ({ name: breakerName, from, to }) => {
      metrics.breakerMoved(breakerName, to);
      logger[to === 'CLOSED' ? 'info' : 'warn'](
        { breaker: breakerName, from, to },
        'circuit breaker changed state',
      );
    });
    return breaker;
  };
  const group = new BreakerGroup(ENDPOINT, create, (breaker) => breaker.shutdown());
  // The first one is made now, so that wrong options are found now.
  group.of(model);
  return group;
}

function makeBatch(
  { batch }: DescribeClientOptions,
  { environment, model, prompt, detail, maxOutputTokens }: ClientSettings,
  batched: BatchedVision,
  clock: Clock,
): VisionDescriptionBatchProcessor | undefined {
  if (batch === undefined || batch === false) return undefined;
  return new VisionDescriptionBatchProcessor(batched.sender, {
    model,
    prompt,
    detail,
    maxOutputTokens,
    clock,
    batchSize: environment.batchSize,
    maxBatchWaitMs: environment.batchWaitMs,
    // Every image has a deadline of its own, so that a pack ends with the last of them.
    handlerTimeoutMs: MAX_TIMER_DELAY_MS,
    estimateTokens: batched.estimateTokens,
    ...definedOf(batch),
    retry: false,
  });
}

/** A part that is missing was reported before; this only tells the compiler. */
function requirePart<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new TypeError('a part of the client is missing');
  return part;
}

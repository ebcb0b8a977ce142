import type { VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import { usageOf } from '../batch-processor/packs/answer.ts';
import type { ConfigError } from '../errors/config-error.ts';
import type { UrlDownloads } from '../image/index.ts';
import { SingleFlight } from '../internal/async/single-flight.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import { NO_OPTIONS } from '../internal/options/own-options.ts';
import { EndpointDialect } from '../openai/exchange/request-dialect.ts';
import { createModelCatalog, type ModelCatalog, modelCatalog } from '../openai/models/model-catalog.ts';
import type { PerformanceMonitor } from '../performance-monitor/index.ts';
import { type RedisCache, redisScriptOf } from '../redis-cache/index.ts';
import { RetryPolicy } from '../retry/index.ts';
import { EndpointSet } from './attempt/endpoint-set.ts';
import { type Attempts, makeAttempts, type SendRequest } from './attempt/pipeline.ts';
import { type AskVision, askSingly, BatchedVision } from './attempt/vision-asker.ts';
import { Admission } from './call/admission.ts';
import type { PriceOf } from './call/call-outcome.ts';
import { type CachedDescription, pricing } from './call/call-outcome.ts';
import { DescriptionKeys } from './call/description-keys.ts';
import { Fallback } from './call/fallback.ts';
import { ImageIntake } from './call/image-intake.ts';
import { hearOwnCache, makeBatch, makeBreakers, makeCache, makeMonitor, makePool, makeRetry } from './make-parts.ts';
import { type Logger, safeLogger } from './options/client-logger.ts';
import { CLIENT_DEFAULTS, type DescribeClientOptions } from './options/client-options.ts';
import { ConfigIssues } from './options/config-issues.ts';
import { missingKeyError } from './options/missing-key.ts';
import { type ClientSettings, isInstance, resolveOptions } from './options/resolve-options.ts';
import { PackingAdvisor } from './packing/packing-advisor.ts';
import { askAsAdvised } from './packing/packing-choice.ts';
import { packingCost, packRulesOf } from './packing/packing-cost.ts';
import { CallMetrics } from './reports/call-metrics.ts';

/** Everything a client is made of. */
export interface ClientParts {
  readonly settings: ClientSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intake: ImageIntake;
  readonly catalog: ModelCatalog;
  readonly priceOf: PriceOf;
  readonly endpoints: EndpointSet;
  readonly cache: RedisCache | undefined;
  /** Joins equal calls that pass the cache by. */
  readonly flights: SingleFlight<CachedDescription>;
  readonly monitor: PerformanceMonitor | undefined;
  readonly batch: VisionDescriptionBatchProcessor | undefined;
  readonly metrics: CallMetrics;
  readonly admission: Admission;
  readonly attempts: Attempts;
  /** Absent without the option. */
  readonly fallback: Fallback | undefined;
  readonly retry: RetryPolicy;
  readonly keys: DescriptionKeys;
  readonly ask: AskVision;
  /** Makes what each call fails with that needs the API; undefined where an endpoint has a key. */
  readonly makeKeyError: (() => ConfigError) | undefined;
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

  const monitor = issues.attempt('monitor', () => makeMonitor(given, settings, clock, logger));
  const metrics = new CallMetrics(monitor);
  let downloads: UrlDownloads = 'all';
  const intake = issues.attempt('images', () => new ImageIntake(given.images ?? {}, clock, () => downloads));
  const catalog = issues.attempt('models', () => createModelCatalog(given.models));
  const { maxQueuedCalls, maxBytesInFlight } = settings.limits;
  const admission = issues.attempt('limits', () => new Admission({ maxQueuedCalls, maxBytesInFlight, clock }));
  const cache = issues.attempt(
    'cache',
    () => makeCache(given, settings, clock, logger),
    (name) => (settings.redis !== undefined && name in settings.redis ? 'redis' : 'cache'),
  );
  const retry = issues.attempt('retry', () => makeRetry(given, clock));
  const endpoints = settings.endpoints.map((description) => ({
    description,
    breakers: issues.attempt('circuitBreaker', () =>
      makeBreakers(given, settings, description, clock, logger, metrics),
    ),
    pool: issues.attempt('pool', () => makePool(given, settings, description, issues, clock)),
  }));

  const priceOf = pricing(catalog ?? modelCatalog, Object.keys(given.models ?? {}));

  const { limits } = settings;
  let attempts: Attempts | undefined;
  const advisor = new PackingAdvisor(clock, (model) => requirePart(attempts).router.pressureOf(model));
  const retryPolicy = retry ?? new RetryPolicy();
  const send: SendRequest = (request, read, sending) => requirePart(attempts).send(request, read, sending);
  const packRules = () =>
    packRulesOf(typeof given.batch === 'object' ? given.batch : NO_OPTIONS, settings.environment.batch);
  const placesAreFree = typeof given.batch !== 'object' || given.batch.maxConcurrentBatches === undefined;
  const batched = new BatchedVision({
    send,
    catalog,
    clock,
    timeoutMs: settings.timeoutMs,
    advisor,
    isUnpackingAdvised: (image, request) =>
      advisor.advise(request.model, packingCost(image, request, requirePart(catalog), packRules())) === 'singly',
    // Before the first answer nobody knows the limits: what is sent until then may all be refused.
    yieldsPlace: (model) => placesAreFree && advisor.hasHeardOf(model),
  });
  const batch = issues.attempt('batch', () => makeBatch(given, settings, batched, clock));

  const ownPools = typeof given.pool === 'function' ? [] : endpoints.flatMap(({ pool }) => pool ?? []);
  const ownCache = isInstance(given.cache, 'getOrSet') ? undefined : cache;
  const ownMonitor = isInstance(given.monitor, 'incrementCounter') ? undefined : monitor;
  const endHearing = ownCache === cache ? () => {} : hearOwnCache(cache, logger);
  const finish = async () => {
    endHearing();
    for (const { breakers } of endpoints) breakers?.shutdown();
    await ownCache?.close();
    ownMonitor?.close();
  };
  if (issues.any) {
    for (const pool of ownPools) void pool.destroy();
    void finish();
  }
  issues.throwIfAny('createDescribeClient');
  const { missingKeys } = settings;
  const hasKey = missingKeys.size < endpoints.length;
  // Without a word nobody would notice: the others answer in its place.
  for (const [endpoint, { option }] of hasKey ? missingKeys : [])
    logger.warn({ endpoint, option }, 'an endpoint has no key: no calls go to it');
  const endpointSet = new EndpointSet(
    endpoints.map(({ description, breakers, pool }) => ({
      description,
      breakers: requirePart(breakers),
      pool: requirePart(pool),
      dialect: new EndpointDialect({
        dialect: description.dialect ?? CLIENT_DEFAULTS.dialect,
        extraBody: description.extraBody,
        catalog: requirePart(catalog),
        clock,
      }),
    })),
    missingKeys,
  );
  downloads = endpointSet.downloads;
  attempts = makeAttempts({
    endpoints: endpointSet.asked,
    limits,
    shared: cache && redisScriptOf(cache),
    retry: retryPolicy,
    attemptTimeoutMs: settings.attemptTimeoutMs,
    clock,
    metrics: {
      attemptEnded: metrics.attemptEnded,
      billed: (completion) => {
        const usage = usageOf(completion);
        if (usage !== undefined) metrics.answered(usage, priceOf(String(completion.model), settings.model, usage));
      },
    },
    onLimitNews: given.batch ? (model) => advisor.heard(model) : undefined,
  });
  const { router, quotas } = attempts;
  const known = requirePart(catalog);
  const singly = askSingly(attempts.send, known);
  const askBy = (packed: AskVision | undefined): AskVision => {
    if (packed === undefined) return singly;
    const mode = given.batch === 'auto' ? 'auto' : 'always';
    return askAsAdvised({ singly, packed, advisor, mode, rules: packRules(), catalog: known, clock });
  };
  return {
    settings,
    clock,
    logger,
    intake: requirePart(intake),
    catalog: known,
    priceOf,
    endpoints: endpointSet,
    cache,
    flights: new SingleFlight<CachedDescription>(),
    monitor,
    batch,
    metrics,
    admission: requirePart(admission),
    fallback: given.fallback === undefined ? undefined : new Fallback(given.fallback, clock),
    attempts,
    retry: retryPolicy,
    keys: new DescriptionKeys(settings.endpoints),
    makeKeyError: hasKey ? undefined : () => missingKeyError(...missingKeys.values()),
    ask: askBy(batch === undefined ? undefined : batched.ask(batch)),
    close: async () => {
      await batch?.close();
      await router.close();
      quotas.close();
      await Promise.all(ownPools.map((pool) => pool.close()));
      await finish();
    },
    destroy: async (reason) => {
      await batch?.destroy(reason);
      router.destroy(reason);
      quotas.close();
      await Promise.all(ownPools.map((pool) => pool.destroy(reason)));
      await finish();
    },
  };
}

/** A part that is missing was reported before; this only tells the compiler. */
function requirePart<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new TypeError('a part of the client is missing');
  return part;
}

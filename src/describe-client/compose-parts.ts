import type { VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import { SingleFlight } from '../internal/async/single-flight.ts';
import type { Clock } from '../internal/clock.ts';
import { settingsOf } from '../internal/options/option-checks.ts';
import { EndpointDialect } from '../openai/exchange/request-dialect.ts';
import { exchangeOf } from '../openai/exchange/send-exchange.ts';
import { createModelCatalog, type ModelCatalog } from '../openai/models/model-catalog.ts';
import type { PerformanceMonitor } from '../performance-monitor/index.ts';
import { type RedisCache, redisScriptOf } from '../redis-cache/index.ts';
import { makeBreakers } from './attempt/breaker-group.ts';
import { EndpointSet } from './attempt/endpoint-set.ts';
import { askAsAdvised } from './attempt/packing-choice.ts';
import { type Attempts, makeAttempts, type SendRequest } from './attempt/pipeline.ts';
import { type PriceOf, pricing } from './attempt/pricing.ts';
import { type AskVision, askSingly, BatchedVision } from './attempt/vision-asker.ts';
import { Admission } from './call/admission.ts';
import type { CachedDescription } from './call/call-outcome.ts';
import { DescriptionKeys } from './call/description-keys.ts';
import { Fallback } from './call/fallback.ts';
import { ImageIntake } from './call/image-intake.ts';
import { logCacheTroubles, makeBatch, makeCache, makeMonitor, makePool, makeRetry } from './make-parts.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { type ClientSettings, clientSettings } from './options/client-settings.ts';
import { CLIENT_LIMIT_CHECKS } from './options/limit-options.ts';
import { missingKeyError } from './options/missing-key.ts';
import { PackingAdvisor } from './packing/packing-advisor.ts';
import { packingCost, packRulesOf } from './packing/packing-cost.ts';
import { CallMetrics } from './reports/call-metrics.ts';

/** Everything that a client is made of. */
export type ClientParts = ReturnType<typeof composeParts>;

/**
 * Makes the parts of a client; nothing is opened yet.
 * @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong in options, parts' options and environment.
 */
export function composeParts(
  options: DescribeClientOptions,
  variables: Readonly<Record<string, string | undefined>> = process.env,
) {
  const settings = clientSettings(options, variables);
  const { clock, logger, limits, missingKeys } = settings;

  const monitor = makeMonitor(settings);
  const catalog = createModelCatalog(settings.models);
  const cache = makeCache(settings);
  const ownsCache = cache !== settings.cache;
  const shared: SharedParts = {
    clock,
    catalog,
    priceOf: pricing(catalog, Object.keys(settings.models)),
    cache,
    ownsCache,
    monitor,
    metrics: new CallMetrics(monitor),
    flights: new SingleFlight<CachedDescription>(),
    fallback: settings.fallback && new Fallback(settings.fallback, clock),
    dialects: new Map(),
  };
  const own = ownParts(settings, shared);
  // Without a log line it would go unnoticed, because the other endpoints answer.
  for (const [endpoint, { option }] of own.makeRefusal === undefined ? missingKeys : [])
    logger.warn({ endpoint, option }, 'an endpoint has no key: no calls go to it');

  const stopLogging = ownsCache ? () => {} : logCacheTroubles(cache, logger);
  const finish = async () => {
    stopLogging();
    if (ownsCache) await cache?.close();
    if (monitor !== settings.monitor) monitor?.close();
  };
  return {
    ...shared,
    ...own,
    logger,
    intake: new ImageIntake(settings.images, clock, () => own.endpoints.downloads),
    admission: new Admission(settingsOf(limits, CLIENT_LIMIT_CHECKS), clock),
    /** Closes the parts that the client made, in the order in which a call uses them. */
    close: async () => {
      await own.close();
      await finish();
    },
    destroy: async (reason: unknown) => {
      await own.destroy(reason);
      await finish();
    },
  };
}

/** The parts of a tenant: those of its client, but for those that belong to its own key. */
export const composeTenant = (client: ClientParts, settings: ClientSettings, admission: Admission): ClientParts => ({
  ...client,
  ...ownParts(settings, client),
  logger: settings.logger,
  admission,
});

/** Parts that a client shares with its tenants. */
interface SharedParts {
  readonly clock: Clock;
  readonly catalog: ModelCatalog;
  readonly priceOf: PriceOf;
  readonly cache: RedisCache | undefined;
  /** Whether the client made the cache, and so closes it. */
  readonly ownsCache: boolean;
  readonly monitor: PerformanceMonitor | undefined;
  readonly metrics: CallMetrics;
  /** Joins equal calls that bypass the cache. */
  readonly flights: SingleFlight<CachedDescription>;
  readonly fallback: Fallback | undefined;
  /** The form in which each server takes requests, by the name of the endpoint. */
  readonly dialects: Map<string, EndpointDialect>;
}

/** Parts that belong to the keys of a client, or to that of a tenant. */
function ownParts(settings: ClientSettings, { clock, catalog, priceOf, cache, metrics, dialects }: SharedParts) {
  const { limits, missingKeys, tenantScope } = settings;
  const makeKeyError = () => missingKeyError(...missingKeys.values());
  const endpoints = new EndpointSet(
    settings.endpoints.map((description) => {
      const { name, extraBody } = description;
      const dialect =
        dialects.get(name) ??
        new EndpointDialect({
          dialect: description.dialect ?? settings.dialect,
          exchange: exchangeOf(description.api ?? settings.api),
          extraBody,
          catalog,
          clock,
        });
      dialects.set(name, dialect);
      const pool = makePool(settings, description);
      return {
        description,
        breakers: makeBreakers(settings, description, metrics),
        pool,
        connections: pool ?? { use: () => Promise.reject(makeKeyError()) },
        dialect,
      };
    }),
    missingKeys,
  );
  const retry = makeRetry(settings);
  const advisor = new PackingAdvisor(clock, (model) => attempts.router.pressureOf(model));
  const attempts: Attempts = makeAttempts({
    endpoints: endpoints.asked,
    limits,
    shared: cache && redisScriptOf(cache),
    tenantScope,
    retry,
    attemptTimeoutMs: settings.attemptTimeoutMs,
    clock,
    metrics,
    catalog,
    priceOf,
    onLimitNews: settings.packing && ((model) => advisor.heard(model)),
  });
  const { batch, ask } = makeAsk(settings, attempts.send, catalog, priceOf, advisor);

  const pools = typeof settings.pool === 'object' ? Object.values(endpoints.pools) : [];
  const shutDownBreakers = () => {
    for (const { breakers } of endpoints.all) breakers.shutdown();
  };
  return {
    settings,
    endpoints,
    batch,
    attempts,
    retry,
    keys: new DescriptionKeys(settings.endpoints),
    /** Makes the error of each call that needs the API without any key; undefined where an endpoint has a key. */
    makeRefusal: missingKeys.size < endpoints.all.length ? undefined : makeKeyError,
    ask,
    close: async () => {
      await batch?.close();
      await attempts.router.close();
      attempts.quotas.close();
      await Promise.all(pools.map((pool) => pool.close()));
      shutDownBreakers();
    },
    destroy: async (reason: unknown) => {
      await batch?.destroy(reason);
      attempts.router.destroy(reason);
      attempts.quotas.close();
      await Promise.all(pools.map((pool) => pool.destroy(reason)));
      shutDownBreakers();
    },
  };
}

/** The way to get answers: each image in a request of its own, or in packs when the advisor says so. */
function makeAsk(
  settings: ClientSettings,
  send: SendRequest,
  catalog: ModelCatalog,
  priceOf: PriceOf,
  advisor: PackingAdvisor,
): { readonly ask: AskVision; readonly batch: VisionDescriptionBatchProcessor | undefined } {
  const { clock, timeoutMs, packing: mode } = settings;
  const singly = askSingly(send, catalog);
  if (mode === undefined) return { ask: singly, batch: undefined };
  const rules = packRulesOf(settings.batch);
  const routerBoundsPacks = settings.batch.maxConcurrentBatches === undefined;
  const batched = new BatchedVision({
    send,
    catalog,
    clock,
    priceOf,
    timeoutMs,
    advisor,
    isUnpackingAdvised: (image, request) =>
      advisor.advise(request.model, packingCost(image, request, catalog, rules)) === 'singly',
    // Before the first answer the limits are unknown, and all that is sent until then may be refused.
    yieldsPlace: (model) => routerBoundsPacks && advisor.hasHeardOf(model),
  });
  const batch = makeBatch(settings, batched);
  const packed = batched.ask(batch);
  return { batch, ask: askAsAdvised({ singly, packed, advisor, mode, rules, catalog, clock }) };
}

import { breakerContradictions } from '../../circuit-breaker/circuit-breaker-options.ts';
import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import { proxyFor, readProxyEnvironment } from '../../http/connection/proxy.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { type Environment, parseEnvironment } from '../../internal/options/environment.ts';
import { type ExtraBody, jsonCopy } from '../../internal/options/extra-body.ts';
import { type OptionCheck, ownOptions, settingsOf, shape } from '../../internal/options/option-checks.ts';
import type { Settings } from '../../internal/options/option-spec.ts';
import { addressIssues } from '../../openai/pool/api-address.ts';
import { DEFAULT_BASE_URL, poolContradictions } from '../../openai/pool/openai-pool-options.ts';
import { cacheContradictions, REDIS_TARGET_SPEC } from '../../redis-cache/cache-options.ts';
import type { RedisTargetOptions } from '../../redis-cache/index.ts';
import { type Logger, safeLogger } from './client-logger.ts';
import type { DescribeClientOptions } from './client-options.ts';
import { CLIENT_SPEC, isInstance } from './client-spec.ts';
import {
  ENDPOINT_SPEC,
  type EndpointDescription,
  type EndpointOptions,
  hasStrictLimits,
  namedEndpoints,
} from './endpoint-options.ts';
import { type MissingKeys, missingKeysOf } from './missing-key.ts';
import {
  type BatchOptions,
  CLIENT_BATCH_SPEC,
  CLIENT_MONITOR_SPEC,
  CLIENT_POOL_SPEC,
  type ClientPoolOptions,
} from './part-options.ts';

type ClientVariables = Pick<DescribeClientOptions, 'apiKey' | 'baseURL' | 'organization' | 'project'>;

type GivenOptions = Settings<DescribeClientOptions, typeof CLIENT_SPEC>;

/** Everything that a client is made of, checked. Options win over the environment, which wins over defaults. */
export interface ClientSettings
  extends Omit<GivenOptions, 'endpoints' | 'redis' | 'proxy' | 'pool' | 'batch' | 'logger'> {
  /** At least one. The key is empty where none was given. */
  readonly endpoints: readonly EndpointDescription[];
  readonly missingKeys: MissingKeys;
  /** The scope of a tenant, nested below its client's `cacheScope`; undefined for the client itself. */
  readonly tenantScope?: string | undefined;
  /** Whether a schema must stay within the limits of OpenAI's strict mode: no endpoint may have others. */
  readonly limitsSchemas: boolean;
  /** Where Redis is; undefined for memory only. */
  readonly redis: RedisTargetOptions | undefined;
  /** Proxy to an address of the API. */
  readonly proxyTo: (baseURL: string | undefined) => string | undefined;
  readonly pool: ClientPoolOptions | Extract<DescribeClientOptions['pool'], (...args: never[]) => unknown>;
  /** When images share requests; undefined for never. */
  readonly packing: 'auto' | 'always' | undefined;
  readonly batch: BatchOptions;
  readonly logger: Logger;
}

/** Name of the endpoint of a client that has only a key. */
const ONLY_ENDPOINT = 'default';

const OWNER = 'createDescribeClient';

/**
 * Makes the settings of a client. Options win over the environment, which wins over defaults.
 * @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong in options, parts' options and environment.
 */
export function clientSettings(options: DescribeClientOptions, variables: Environment): ClientSettings {
  const environment = readVariables(variables);
  const issues = [...shape(CLIENT_SPEC)(options, ''), ...environment.issues];
  const given = settingsOf(withoutWrong(options, issues), CLIENT_SPEC);
  const proxies = proxyRule(given.proxy, variables);
  const settings = joinedSettings(given, environment, proxies.proxyTo);
  issues.push(...proxies.issues, ...contradictionsOf(given, settings));
  if (issues.length > 0) throw new ConfigError(OWNER, issues);
  return Object.freeze(settings);
}

/** The options without the wrong ones, because contradictions among the others are reported at the same time. */
function withoutWrong(options: DescribeClientOptions, issues: readonly ConfigIssue[]): DescribeClientOptions {
  const wrong = new Set(issues.map(({ option }) => /^[^.[]*/.exec(option)?.[0]));
  const own = Object.entries(ownOptions(options ?? {}, CLIENT_SPEC));
  return Object.fromEntries(own.map(([name, value]) => [name, wrong.has(name) ? undefined : value]));
}

/** Reads the environment, separately for each part. */
function readVariables(variables: Environment) {
  const issues: ConfigIssue[] = [];
  const read = <Options>(spec: Readonly<Record<string, OptionCheck>>): Options => {
    const { options, issues: wrong } = parseEnvironment(spec, variables);
    issues.push(...wrong);
    return options as Options;
  };
  return {
    client: read<ClientVariables>(CLIENT_SPEC),
    redis: read<RedisTargetOptions>(REDIS_TARGET_SPEC),
    pool: read<Pick<ClientPoolOptions, 'min' | 'max'>>(CLIENT_POOL_SPEC),
    batch: read<Pick<BatchOptions, 'batchSize' | 'maxBatchWaitMs'>>(CLIENT_BATCH_SPEC),
    monitor: read<{ readonly enabled?: boolean }>(CLIENT_MONITOR_SPEC),
    issues,
  };
}

function joinedSettings(
  given: GivenOptions,
  environment: ReturnType<typeof readVariables>,
  proxyTo: ClientSettings['proxyTo'],
): ClientSettings {
  const { batch, pool } = given;
  const endpoints = endpointsOf(given, environment.client);
  return {
    ...given,
    endpoints,
    missingKeys: missingKeysOf(endpoints, given.endpoints !== undefined),
    limitsSchemas: endpoints.every(hasStrictLimits),
    redis: redisTargetOf(given.redis, environment.redis),
    proxyTo,
    monitor: given.monitor ?? (environment.monitor.enabled === false ? false : {}),
    pool: typeof pool === 'function' ? pool : ownOptions({ ...environment.pool, ...definedOf(pool) }, CLIENT_POOL_SPEC),
    packing: batch === false ? undefined : batch === 'auto' ? 'auto' : 'always',
    batch: ownOptions(
      { ...environment.batch, ...definedOf(typeof batch === 'object' ? batch : undefined) },
      CLIENT_BATCH_SPEC,
    ),
    logger: safeLogger(given.logger),
  };
}

/** Issues of options that are right one by one but contradict each other. */
function contradictionsOf(given: GivenOptions, settings: ClientSettings): readonly ConfigIssue[] {
  const { cache, circuitBreaker, fallback, redis } = given;
  const issues: ConfigIssue[] = [];
  const within = (owner: (name: string) => string, found: readonly ConfigIssue[]) => {
    issues.push(...found.map((issue) => ({ ...issue, option: `${owner(issue.option)}.${issue.option}` })));
  };
  if (redis !== undefined && cache === false) {
    issues.push({ option: 'redis', expected: 'nothing with cache: false', got: 'a Redis' });
  }
  if (cache === false && fallback?.includes('stale')) {
    issues.push({ option: 'fallback', expected: "no 'stale' with cache: false", got: "'stale'" });
  }
  const ownCache = isInstance(cache, 'getOrSet');
  if (redis !== undefined && ownCache) {
    issues.push({ option: 'redis', expected: 'nothing with a cache of your own', got: 'a Redis' });
  }
  if (cache !== false && !ownCache) {
    const target = settings.redis ?? {};
    within(
      (name) => (name in target ? 'redis' : 'cache'),
      cacheContradictions({ ...(cache as object | undefined), ...target }),
    );
  }
  if (typeof settings.pool === 'object') within(() => 'pool', poolContradictions(settings.pool));
  if (typeof circuitBreaker === 'object') within(() => 'circuitBreaker', breakerContradictions(circuitBreaker));
  if (given.endpoints === undefined) {
    const { baseURL = DEFAULT_BASE_URL, apiVersion } = settings.endpoints[0] ?? {};
    issues.push(...addressIssues(baseURL, apiVersion, given.baseURL === undefined ? 'OPENAI_BASE_URL' : 'baseURL'));
  } else {
    const { apiKey, baseURL, apiVersion, organization, project, headers } = given;
    const beside = Object.entries({ apiKey, baseURL, apiVersion, organization, project, headers });
    const second = beside.filter(([, value]) => value !== undefined);
    issues.push(...second.map(([option]) => ({ option, expected: 'nothing beside endpoints', got: 'a second one' })));
  }
  return issues;
}

/**
 * The endpoints of the option, or the one that the top-level options describe, each with what it takes from the client.
 */
function endpointsOf(given: GivenOptions, environment: ClientVariables): readonly EndpointDescription[] {
  const named = namedEndpoints(given.endpoints ?? [onlyEndpoint(given, environment)]);
  return named.map((endpoint) => ({
    ...endpoint,
    api: endpoint.api ?? given.api,
    dialect: endpoint.dialect ?? given.dialect,
    extraBody: mergedExtraBody(given.extraBody, endpoint.extraBody),
  }));
}

const onlyEndpoint = (
  { apiKey, baseURL, organization, project, apiVersion, headers }: GivenOptions,
  environment: ClientVariables,
): EndpointOptions => {
  const own = { name: ONLY_ENDPOINT, ...environment, ...definedOf({ apiKey, baseURL, organization, project }) };
  return ownOptions<EndpointOptions>({ ...own, apiVersion, headers }, ENDPOINT_SPEC);
};

/** A copy, so that the caller's later changes have no effect on requests. */
function mergedExtraBody(client: ExtraBody | undefined, own: ExtraBody | undefined): ExtraBody | undefined {
  if (client === undefined && own === undefined) return undefined;
  return deepFreeze(jsonCopy({ ...client, ...own }));
}

/** The proxy of the option, or of the environment, and its issues. */
function proxyRule(
  proxy: DescribeClientOptions['proxy'],
  variables: Environment,
): { readonly proxyTo: ClientSettings['proxyTo']; readonly issues: readonly ConfigIssue[] } {
  if (proxy !== undefined) return { proxyTo: () => (proxy === false ? undefined : proxy), issues: [] };
  try {
    const environment = readProxyEnvironment(variables);
    const proxyTo = (baseURL = DEFAULT_BASE_URL) =>
      URL.canParse(baseURL) ? proxyFor(baseURL, environment) : undefined;
    return { proxyTo, issues: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { proxyTo: () => undefined, issues: error.issues };
  }
}

function redisTargetOf(
  option: DescribeClientOptions['redis'],
  environment: RedisTargetOptions,
): RedisTargetOptions | undefined {
  if (typeof option === 'string') return { url: option };
  if (isInstance(option, 'defineCommand')) return { client: option as NonNullable<RedisTargetOptions['client']> };
  if (option !== undefined) return option as RedisTargetOptions;
  return environment.url === undefined && environment.host === undefined ? undefined : environment;
}

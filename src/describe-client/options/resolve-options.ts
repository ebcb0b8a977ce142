import { BATCH_SPEC } from '../../batch-processor/batch-processor-options.ts';
import { proxyFor, readProxyEnvironment } from '../../http/connection/proxy.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { parseEnvironment } from '../../internal/options/environment.ts';
import { type ExtraBody, extraBodyCheck, jsonCopy } from '../../internal/options/extra-body.ts';
import { headerRecord, headerSafeSecret, httpUrl } from '../../internal/options/http-checks.ts';
import {
  anything,
  boolean,
  boundedText,
  callable,
  clockOption,
  copying,
  describeKind,
  finiteNumber,
  hasMethods,
  integer,
  MAX_MODEL_LENGTH,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  oneOf,
  ownOptions,
  secret,
  shape,
  whichever,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { fromVariable } from '../../internal/options/option-spec.ts';
import { callOptions, NO_OPTIONS } from '../../internal/options/own-options.ts';
import { REASONING_EFFORTS } from '../../internal/options/reasoning-effort.ts';
import { addressIssues } from '../../openai/pool/api-address.ts';
import { apiKeyCheck } from '../../openai/pool/api-key.ts';
import {
  baseUrlOption,
  DEFAULT_BASE_URL,
  type OpenAIConnectionPoolOptions,
  POOL_SPEC,
} from '../../openai/pool/openai-pool-options.ts';
import { MONITOR_SPEC, type PerformanceMonitorOptions } from '../../performance-monitor/monitor-options.ts';
import { REDIS_TARGET_SPEC } from '../../redis-cache/cache-options.ts';
import type { RedisTargetOptions } from '../../redis-cache/index.ts';
import type { RequestDefaults } from '../call/normalise-request.ts';
import { cacheScopeCheck } from '../call/normalise-request.ts';
import { type BatchOptions, CLIENT_DEFAULTS, type DescribeClientOptions } from './client-options.ts';
import type { ConfigIssues } from './config-issues.ts';
import { dialectCheck, type EndpointDescription, endpointsCheck, namedEndpoints } from './endpoint-options.ts';
import { fallbackCheck } from './fallback-option.ts';
import { CLIENT_LIMIT_CHECKS, type ClientLimitOptions } from './limit-options.ts';
import { type MissingKeys, missingKeysOf } from './missing-key.ts';

/** The options that are plain values, with environment and defaults filled in. */
export interface ClientSettings extends RequestDefaults {
  /** At least one; its key is empty where none was given. */
  readonly endpoints: readonly EndpointDescription[];
  readonly missingKeys: MissingKeys;
  readonly limits: ClientLimitOptions;
  readonly attemptTimeoutMs: number;
  readonly warmUpOnStart: boolean;
  /** Where Redis is, by option or environment; undefined for memory only. */
  readonly redis: RedisTargetOptions | undefined;
  /** Proxy to an address of the API, by option or environment. */
  readonly proxyTo: (baseURL: string | undefined) => string | undefined;
  readonly environment: ClientEnvironment;
  /** The options without those that are wrong, so that parts can be made and looked at before the error is thrown. */
  readonly usable: DescribeClientOptions;
}

/** Name of the endpoint of a client that has only a key. */
const ONLY_ENDPOINT = 'default';

const optionsObject = (expected: string): OptionCheck =>
  copying(
    (value, option) =>
      value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))
        ? []
        : [{ option, expected, got: describeKind(value) }],
    (value) => (isPlain(value) ? callOptions(value) : value),
  );

/** Neither a part that the caller made, nor options of a class. */
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const off: readonly [(value: unknown) => boolean, OptionCheck] = [(value) => value === false, anything()];
const aFunction: readonly [(value: unknown) => boolean, OptionCheck] = [
  (value) => typeof value === 'function',
  callable(),
];
const aString: readonly [(value: unknown) => boolean, OptionCheck] = [(value) => typeof value === 'string', secret()];

// What is inside a part's options is checked by the part itself; here only that it can be such options.
const CHECKS = {
  apiKey: fromVariable('OPENAI_API_KEY', apiKeyCheck()),
  baseURL: baseUrlOption,
  apiVersion: nonEmptyText(),
  organization: fromVariable('OPENAI_ORG_ID', headerSafeSecret()),
  project: fromVariable('OPENAI_PROJECT_ID', headerSafeSecret()),
  headers: headerRecord(),
  dialect: dialectCheck,
  endpoints: endpointsCheck,
  limits: shape(CLIENT_LIMIT_CHECKS),
  model: boundedText(MAX_MODEL_LENGTH),
  prompt: nonEmptyText(),
  system: nonEmptyText(),
  temperature: finiteNumber({ min: 0, max: 2 }),
  reasoningEffort: oneOf(...REASONING_EFFORTS),
  extraBody: extraBodyCheck(),
  detail: oneOf('low', 'high', 'auto'),
  maxOutputTokens: integer({ min: 1 }),
  cacheScope: cacheScopeCheck(),
  timeoutMs: milliseconds(),
  attemptTimeoutMs: milliseconds(),
  redis: whichever([aString], optionsObject('options, a URL or an ioredis client')),
  cache: whichever([off], optionsObject('options, a cache or false')),
  monitor: whichever([off], optionsObject('options, a monitor or false')),
  pool: whichever([aFunction], optionsObject('options or a function')),
  circuitBreaker: whichever([off, aFunction], optionsObject('options, a function or false')),
  batch: whichever([off, [(value) => value === 'auto', anything()]], optionsObject("options, 'auto' or false")),
  retry: whichever([off], optionsObject('options or false')),
  fallback: fallbackCheck,
  images: optionsObject('options'),
  models: optionsObject('entries by model'),
  warmUpOnStart: boolean(),
  proxy: whichever([off], httpUrl()),
  tls: optionsObject('options'),
  logger: withMethods('a logger with debug, info, warn and error', 'debug', 'info', 'warn', 'error'),
  clock: clockOption,
} satisfies OptionChecks<DescribeClientOptions>;

/** Fills in environment and defaults, and gathers what is wrong. Options win over the environment. */
export function resolveOptions(
  options: DescribeClientOptions,
  variables: Readonly<Record<string, string | undefined>>,
  issues: ConfigIssues,
): ClientSettings {
  issues.add(shape(CHECKS)(options, ''));
  const environment = environmentOf(variables, issues);
  const usable = withoutWrong(options, issues);
  const {
    limits = NO_OPTIONS,
    model = CLIENT_DEFAULTS.model,
    prompt = CLIENT_DEFAULTS.prompt,
    detail = CLIENT_DEFAULTS.detail,
    maxOutputTokens = CLIENT_DEFAULTS.maxOutputTokens,
    timeoutMs = CLIENT_DEFAULTS.timeoutMs,
    attemptTimeoutMs = CLIENT_DEFAULTS.attemptTimeoutMs,
    warmUpOnStart = CLIENT_DEFAULTS.warmUpOnStart,
    system,
    temperature,
    reasoningEffort,
  } = usable;
  const endpoints = endpointsOf(usable, environment, issues);
  const redis = redisTargetOf(usable.redis, environment);
  if (usable.redis !== undefined && usable.cache === false) {
    issues.add([{ option: 'redis', expected: 'nothing with cache: false', got: 'a Redis' }]);
  }
  if (usable.cache === false && usable.fallback?.includes('stale')) {
    issues.add([{ option: 'fallback', expected: "no 'stale' with cache: false", got: "'stale'" }]);
  }
  if (usable.redis !== undefined && isInstance(usable.cache, 'getOrSet')) {
    issues.add([{ option: 'redis', expected: 'nothing with a cache of your own', got: 'a Redis' }]);
  }
  return {
    endpoints,
    missingKeys: missingKeysOf(endpoints, usable.endpoints !== undefined),
    limits,
    model,
    prompt,
    system,
    temperature,
    reasoningEffort,
    detail,
    maxOutputTokens,
    cacheScope: usable.cacheScope,
    timeoutMs,
    attemptTimeoutMs,
    warmUpOnStart,
    redis,
    proxyTo: proxyRule(usable, variables, issues),
    environment,
    usable,
  };
}

/** What the environment says, by the part that it is for. */
export interface ClientEnvironment {
  readonly client: Pick<DescribeClientOptions, 'apiKey' | 'baseURL' | 'organization' | 'project'>;
  readonly redis: RedisTargetOptions;
  readonly pool: OpenAIConnectionPoolOptions;
  readonly batch: BatchOptions;
  readonly monitor: PerformanceMonitorOptions;
}

function environmentOf(
  variables: Readonly<Record<string, string | undefined>>,
  issues: ConfigIssues,
): ClientEnvironment {
  const read = <Options>(spec: { readonly [Name in keyof Options]: OptionCheck }): Partial<Options> => {
    const { options, issues: wrong } = parseEnvironment<Options>(spec, variables);
    issues.add(wrong);
    return options;
  };
  return {
    client: read<DescribeClientOptions>(CHECKS),
    redis: read<RedisTargetOptions>(REDIS_TARGET_SPEC),
    pool: read<OpenAIConnectionPoolOptions>(POOL_SPEC),
    batch: read<BatchOptions>(BATCH_SPEC),
    monitor: read<PerformanceMonitorOptions>(MONITOR_SPEC),
  };
}

/** With `undefined` in their place. */
function withoutWrong(options: DescribeClientOptions, issues: ConfigIssues): DescribeClientOptions {
  const own = Object.entries(ownOptions(options ?? {}, CHECKS));
  return Object.fromEntries(own.map(([name, value]) => [name, issues.has(name) ? undefined : value]));
}

/** Tells the user's own instance from options, by a method that only the instance has. */
export const isInstance = (value: unknown, method: string): boolean => hasMethods(value, [method]);

/**
 * The endpoints that are named, or the one of the options that stand at the top; each with what it has of the client.
 */
function endpointsOf(
  options: DescribeClientOptions,
  environment: ClientEnvironment,
  issues: ConfigIssues,
): readonly EndpointDescription[] {
  const { dialect = CLIENT_DEFAULTS.dialect, extraBody } = options;
  const endpoints = options.endpoints === undefined ? [onlyEndpoint(options, environment, issues)] : undefined;
  return (endpoints ?? severalEndpoints(options, issues)).map((endpoint) => ({
    ...endpoint,
    dialect: endpoint.dialect ?? dialect,
    extraBody: mergedExtraBody(extraBody, endpoint.extraBody),
  }));
}

function severalEndpoints(
  { endpoints = [], apiKey, baseURL, apiVersion, organization, project, headers }: DescribeClientOptions,
  issues: ConfigIssues,
): readonly EndpointDescription[] {
  const beside = Object.entries({ apiKey, baseURL, apiVersion, organization, project, headers });
  issues.add(
    beside
      .filter(([, value]) => value !== undefined)
      .map(([option]) => ({ option, expected: 'nothing beside endpoints', got: 'a second one' })),
  );
  return namedEndpoints(endpoints);
}

function onlyEndpoint(
  { apiKey, baseURL, apiVersion, organization, project, headers }: DescribeClientOptions,
  { client: environment }: ClientEnvironment,
  issues: ConfigIssues,
): EndpointDescription {
  const base = baseURL ?? environment.baseURL;
  const address = base ?? DEFAULT_BASE_URL;
  issues.add(addressIssues(address, apiVersion, baseURL === undefined ? 'OPENAI_BASE_URL' : 'baseURL'));
  return {
    name: ONLY_ENDPOINT,
    apiKey: apiKey ?? environment.apiKey ?? '',
    baseURL: base,
    apiVersion,
    organization: organization ?? environment.organization,
    project: project ?? environment.project,
    headers,
    model: undefined,
    weight: undefined,
    limits: undefined,
    dialect: undefined,
    extraBody: undefined,
  };
}

/** A copy, so that what the caller changes later changes no request. */
function mergedExtraBody(client: ExtraBody | undefined, own: ExtraBody | undefined): ExtraBody | undefined {
  if (client === undefined && own === undefined) return undefined;
  return deepFreeze(jsonCopy({ ...client, ...own }));
}

function proxyRule(
  { proxy }: DescribeClientOptions,
  variables: Readonly<Record<string, string | undefined>>,
  issues: ConfigIssues,
): ClientSettings['proxyTo'] {
  if (proxy === false) return () => undefined;
  if (proxy !== undefined) return () => proxy;
  const environment = issues.attempt(
    'environment',
    () => readProxyEnvironment(variables),
    () => '',
  );
  return (baseURL = DEFAULT_BASE_URL) =>
    environment === undefined || !URL.canParse(baseURL) ? undefined : proxyFor(baseURL, environment);
}

function redisTargetOf(
  option: DescribeClientOptions['redis'],
  { redis }: ClientEnvironment,
): RedisTargetOptions | undefined {
  if (typeof option === 'string') return { url: option };
  if (isInstance(option, 'defineCommand')) return { client: option as NonNullable<RedisTargetOptions['client']> };
  if (option !== undefined) return option as RedisTargetOptions;
  return redis.url === undefined && redis.host === undefined ? undefined : redis;
}

import { ConfigError } from '../../errors/config-error.ts';
import { tlsOptionsCheck } from '../../http/connection/tls-options.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import { headerRecord, headerSafeSecret, httpUrl } from '../../internal/options/http-checks.ts';
import {
  anything,
  boolean,
  callable,
  clockOption,
  copyBy,
  copying,
  describeKind,
  hasMethods,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  shape,
  whichever,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { fromVariable, withDefault } from '../../internal/options/option-spec.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import { modelOverridesCheck } from '../../openai/models/model-checks.ts';
import { apiKeyCheck } from '../../openai/pool/api-key.ts';
import { baseUrlOption } from '../../openai/pool/openai-pool-options.ts';
import { REDIS_TARGET_SPEC } from '../../redis-cache/cache-options.ts';
import { CLIENT_IMAGE_SPEC } from './client-image-options.ts';
import type { DescribeClientOptions } from './client-options.ts';
import { apiCheck, dialectCheck, endpointsCheck } from './endpoint-options.ts';
import { fallbackCheck } from './fallback-option.ts';
import { CLIENT_LIMIT_CHECKS } from './limit-options.ts';
import {
  CLIENT_BATCH_SPEC,
  CLIENT_BREAKER_SPEC,
  CLIENT_CACHE_SPEC,
  CLIENT_MONITOR_SPEC,
  CLIENT_POOL_SPEC,
  CLIENT_RETRY_SPEC,
} from './part-options.ts';
import { DESCRIBE_SPEC } from './request-spec.ts';
import { TENANTS_SPEC } from './tenant-options.ts';

type Case = readonly [(value: unknown) => boolean, OptionCheck];

/** Tells the user's own instance from options, by a method that only the instance has. */
export const isInstance = (value: unknown, method: string): boolean => hasMethods(value, [method]);

/**
 * Checks the part that a user's function made.
 * @throws `DESCRIBE_CONFIG_INVALID` where it lacks a method that the client needs.
 */
export function madeByUser<Part>(part: Part, option: string, expected: string, methods: readonly string[]): Part {
  if (hasMethods(part, methods)) return part;
  ignoreRejection(part);
  throw new ConfigError('createDescribeClient', [{ option: `${option}.result`, expected, got: describeKind(part) }]);
}

const is = (choice: unknown): Case => [(value) => value === choice, anything()];
const aFunction: Case = [(value) => typeof value === 'function', callable()];
const anInstance = (method: string, whole: OptionCheck = anything()): Case => [
  (value) => isInstance(value, method),
  whole,
];

/** A monitor of an older version, or a partial one, would silently lose metrics. */
const OWN_MONITOR = 'a PerformanceMonitor of this version, with bindCounter, bindHistogram and getMetrics';

/** The options of a part; `expected` names the other values that it may have. */
const optionsBy = (spec: Readonly<Record<string, OptionCheck>>, expected: string): OptionCheck => {
  const options = shape(spec);
  return copying(
    (value, option) =>
      value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))
        ? options(value, option)
        : [{ option, expected, got: describeKind(value) }],
    (value) => copyBy(options, value),
  );
};

const redisUrlText: Case = [
  (value) => typeof value === 'string',
  (value, option) => REDIS_TARGET_SPEC.url(value, `${option}.url`),
];
const redisClient: Case = [
  (value) => isInstance(value, 'defineCommand'),
  (value, option) => REDIS_TARGET_SPEC.client(value, `${option}.client`),
];

/** Every option of a client. */
export const CLIENT_SPEC = {
  apiKey: fromVariable('OPENAI_API_KEY', apiKeyCheck()),
  baseURL: baseUrlOption,
  apiVersion: nonEmptyText(),
  organization: fromVariable('OPENAI_ORG_ID', headerSafeSecret()),
  project: fromVariable('OPENAI_PROJECT_ID', headerSafeSecret()),
  headers: headerRecord(),
  api: withDefault(apiCheck, 'chat'),
  dialect: withDefault(dialectCheck, 'auto'),
  endpoints: endpointsCheck,
  limits: withDefault(shape(CLIENT_LIMIT_CHECKS), NO_OPTIONS),
  model: withDefault(DESCRIBE_SPEC.model, 'gpt-4.1-mini'),
  prompt: withDefault(DESCRIBE_SPEC.prompt, 'Describe this image.'),
  system: DESCRIBE_SPEC.system,
  temperature: DESCRIBE_SPEC.temperature,
  reasoningEffort: DESCRIBE_SPEC.reasoningEffort,
  extraBody: DESCRIBE_SPEC.extraBody,
  detail: withDefault(DESCRIBE_SPEC.detail, 'low'),
  maxOutputTokens: withDefault(DESCRIBE_SPEC.maxOutputTokens, 300),
  cacheScope: DESCRIBE_SPEC.cacheScope,
  timeoutMs: withDefault(DESCRIBE_SPEC.timeoutMs, 60_000),
  attemptTimeoutMs: withDefault(milliseconds(), 30_000),
  redis: whichever([redisUrlText, redisClient], optionsBy(REDIS_TARGET_SPEC, 'options, a URL or an ioredis client')),
  cache: whichever([is(false), anInstance('getOrSet')], optionsBy(CLIENT_CACHE_SPEC, 'options, a cache or false')),
  monitor: whichever(
    [is(false), anInstance('incrementCounter', withMethods(OWN_MONITOR, 'bindCounter', 'bindHistogram', 'getMetrics'))],
    optionsBy(CLIENT_MONITOR_SPEC, 'options, a monitor or false'),
  ),
  pool: whichever([aFunction], optionsBy(CLIENT_POOL_SPEC, 'options or a function')),
  circuitBreaker: whichever([is(false), aFunction], optionsBy(CLIENT_BREAKER_SPEC, 'options, a function or false')),
  batch: withDefault(
    whichever([is(false), is('auto')], optionsBy(CLIENT_BATCH_SPEC, "options, 'auto' or false")),
    false,
  ),
  retry: whichever([is(false)], optionsBy(CLIENT_RETRY_SPEC, 'options or false')),
  fallback: fallbackCheck,
  images: withDefault(optionsBy(CLIENT_IMAGE_SPEC, 'options'), NO_OPTIONS),
  models: withDefault(modelOverridesCheck, {}),
  tenants: withDefault(optionsBy(TENANTS_SPEC, 'options'), NO_OPTIONS),
  warmUpOnStart: withDefault(boolean(), false),
  proxy: whichever([is(false)], httpUrl()),
  tls: tlsOptionsCheck,
  logger: withMethods('a logger with debug, info, warn and error', 'debug', 'info', 'warn', 'error'),
  clock: clockOption,
} satisfies OptionChecks<DescribeClientOptions>;

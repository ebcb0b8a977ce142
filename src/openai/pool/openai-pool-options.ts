import { ConfigError, type ConfigIssue } from '../../errors/index.ts';
import { TRANSPORT_SPEC, type TransportOptions } from '../../http/connection/transport-options.ts';
import { baseUrl, headerRecord, headerSafeSecret } from '../../internal/options/http-checks.ts';
import {
  boolean,
  checkOptions,
  integer,
  milliseconds,
  nonEmptyText,
  type OptionChecks,
  required,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { fromVariable, type Settings, withDefault } from '../../internal/options/option-spec.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { SlotPermits } from '../../resource-pool/index.ts';
import { addressIssues } from './api-address.ts';
import { type ApiKey, apiKeyCheck } from './api-key.ts';

export interface OpenAIConnectionPoolOptions extends TransportOptions {
  /**
   * Connections to keep open after the first use of the pool; from 0 to `max`.
   * @defaultValue 2, or `max` if that is less; 0 with `permits`
   */
  readonly min?: number | undefined;
  /**
   * Most connections, and so most requests on the wire at a moment; at least 1 and `min`.
   * @defaultValue 10, or `min` if that is more
   */
  readonly max?: number | undefined;
  /** Longest wait for a free connection, in milliseconds. @defaultValue 30_000 */
  readonly acquireTimeoutMs?: number | undefined;
  /** Longest time for which a connection above `min` stays idle, in milliseconds. @defaultValue 300_000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Milliseconds between health checks of idle connections. @defaultValue 30_000 */
  readonly healthCheckInterval?: number | undefined;
  /** Timeout of the health check of one connection, in milliseconds. @defaultValue 10_000 */
  readonly healthCheckTimeoutMs?: number | undefined;
  /** Opens and authenticates `min` connections at once, in the background. @defaultValue false */
  readonly warmUpOnStart?: boolean | undefined;
  /** Loans after which a connection is replaced; at least 1. @defaultValue unlimited */
  readonly maxUsageCount?: number | undefined;
  /**
   * Age at which a connection is replaced, in milliseconds, so that changes of DNS reach it.
   * @defaultValue unlimited
   */
  readonly maxLifetimeMs?: number | undefined;
  /** Most acquirers that may wait; 0 or more. @defaultValue 10_000 */
  readonly maxWaiting?: number | undefined;
  /** Milliseconds after which a loan is reported by the event `leaked`. @defaultValue off */
  readonly leakThresholdMs?: number | undefined;
  /**
   * Bounds the connections of several pools together: each connection takes a permit. `min` must be 0 with it.
   * @defaultValue none
   */
  readonly permits?: SlotPermits | undefined;
  /** Headers sent with every request. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `OpenAI-Organization` header. @defaultValue none */
  readonly organization?: string | undefined;
  /** `OpenAI-Project` header. @defaultValue none */
  readonly project?: string | undefined;
  /** API version of Azure OpenAI, such as `2024-10-21`; makes the client an `AzureOpenAI`. @defaultValue none */
  readonly apiVersion?: string | undefined;
  /**
   * Timeout of a call that names none of its own, in milliseconds. It covers headers and body; for a stream only its
   * headers.
   * @defaultValue 600_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /** Longest pause of a streamed answer, in milliseconds. @defaultValue 60_000 */
  readonly streamIdleTimeoutMs?: number | undefined;
}

const count = integer({ min: 1 });

/** The base URL of a client, or of a pool of the process. */
export const baseUrlOption = fromVariable('OPENAI_BASE_URL', baseUrl());

export const POOL_SPEC = {
  min: fromVariable('OPENAI_POOL_MIN_SIZE', integer({ min: 0 })),
  max: fromVariable('OPENAI_POOL_MAX_SIZE', count),
  acquireTimeoutMs: withDefault(milliseconds(), 30_000),
  idleTimeoutMs: withDefault(milliseconds(), 300_000),
  healthCheckInterval: withDefault(milliseconds(), 30_000),
  healthCheckTimeoutMs: withDefault(milliseconds(), 10_000),
  warmUpOnStart: withDefault(boolean(), false),
  maxUsageCount: count,
  maxLifetimeMs: milliseconds(),
  maxWaiting: withDefault(integer({ min: 0 }), 10_000),
  leakThresholdMs: milliseconds(),
  permits: withMethods('an object with join', 'join'),
  headers: headerRecord(),
  organization: headerSafeSecret(),
  project: headerSafeSecret(),
  apiVersion: nonEmptyText(),
  requestTimeoutMs: withDefault(milliseconds(), 600_000),
  streamIdleTimeoutMs: withDefault(milliseconds(), 60_000),
  ...TRANSPORT_SPEC,
} satisfies OptionChecks<OpenAIConnectionPoolOptions>;

export const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

const DEFAULT_MIN = 2;
const DEFAULT_MAX = 10;

const OWNER = 'OpenAIConnectionPool';

/** The bounds of a pool's size. A default adapts to the bound that was set. */
export function poolBounds(options: OpenAIConnectionPoolOptions): { readonly min: number; readonly max: number } {
  const { min, max = Math.max(DEFAULT_MAX, min ?? 0), permits } = callOptions(options);
  return { min: min ?? (permits === undefined ? Math.min(DEFAULT_MIN, max) : 0), max };
}

/** Lists contradictions between options that are right one by one. */
export function poolContradictions(options: OpenAIConnectionPoolOptions): readonly ConfigIssue[] {
  const { min, max } = poolBounds(options);
  if (min > 0 && options.permits !== undefined)
    return [{ option: 'min', expected: '0 with permits', got: String(min) }];
  return min > max ? [{ option: 'min', expected: `at most max (${max})`, got: String(min) }] : [];
}

/** Options with their defaults. */
export type PoolSettings = Settings<OpenAIConnectionPoolOptions, typeof POOL_SPEC> & ReturnType<typeof poolBounds>;

/**
 * Checks the options, and never shows the key.
 * @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong.
 */
export function poolSettings(
  apiKey: ApiKey,
  baseURL: string | undefined,
  options: OpenAIConnectionPoolOptions,
): PoolSettings {
  if (typeof baseURL === 'object' && baseURL !== null) {
    throw new ConfigError(OWNER, [{ option: 'baseURL', expected: 'a URL; options come third', got: 'an object' }]);
  }
  checkOptions(OWNER, { apiKey, baseURL }, { apiKey: required(apiKeyCheck(), 'a key'), baseURL: baseUrl() });
  const own = checkOptions(OWNER, options, POOL_SPEC);
  const issues = [...addressIssues(baseURL ?? DEFAULT_BASE_URL, own.apiVersion, 'baseURL'), ...poolContradictions(own)];
  if (issues.length > 0) throw new ConfigError(OWNER, issues);
  return { ...own, ...poolBounds(own) };
}

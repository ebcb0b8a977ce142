import { createHash } from 'node:crypto';
import type { ConfigIssue } from '../../errors/config-error.ts';
import { type ExtraBody, extraBodyCheck } from '../../internal/options/extra-body.ts';
import { baseUrl, headerRecord, headerSafeSecret } from '../../internal/options/http-checks.ts';
import {
  boundedText,
  copyBy,
  copying,
  describeKind,
  describeValue,
  finiteNumber,
  integer,
  listOf,
  MAX_MODEL_LENGTH,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  oneOf,
  shape,
} from '../../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import type { ApiForm } from '../../openai/exchange/exchange.ts';
import type { Dialect } from '../../openai/exchange/request-dialect.ts';
import { addressIssues, apiAddress } from '../../openai/pool/api-address.ts';
import { type ApiKey, apiKeyCheck } from '../../openai/pool/api-key.ts';
import { DEFAULT_BASE_URL } from '../../openai/pool/openai-pool-options.ts';

/** Limits of one quota group: of the keys of one organisation and project, for each model. */
export interface QuotaLimitOptions {
  /** Requests a minute, at least 1. @defaultValue what the answers' headers say */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens a minute, at least 1. @defaultValue what the answers' headers say */
  readonly tokensPerMinute?: number | undefined;
  /**
   * Tokens a minute, at least 1, that your account has used for a long time. Above it the rate grows by at most half in
   * 15 minutes, as the API asks. A process starts at this rate.
   * @defaultValue 1_000_000
   */
  readonly rampFromTokensPerMinute?: number | undefined;
  /**
   * Requests at the same time at one endpoint, at least 1; never more than its pool has connections.
   * @defaultValue the pool's `max`
   */
  readonly maxConcurrency?: number | undefined;
  /**
   * Concurrent requests for one model at one endpoint from which the adaptive limit starts, at least 1. It bounds a
   * burst before the first answers show how loaded the API is.
   * @defaultValue the pool's `max`
   */
  readonly initialConcurrency?: number | undefined;
}

/** One way to the API: a key, and the address where it is valid. */
export interface EndpointOptions extends Omit<EndpointDescription, 'name' | 'apiKey'> {
  /** Name of the endpoint, as in stats, metrics and `explain`. @defaultValue 'endpoint-1', 'endpoint-2', … */
  readonly name?: string | undefined;
  /**
   * Key of the API, or a function that is called for it before each request. Without a key, nothing is sent to the
   * endpoint, and `health()` reports it.
   * @defaultValue none
   */
  readonly apiKey?: ApiKey | undefined;
}

/** The endpoint that a part of the client is made for. */
export interface EndpointDescription {
  /** Name of the endpoint, as in stats and metrics. */
  readonly name: string;
  /** Key of the API, or a function that is called for it before each request. */
  readonly apiKey: ApiKey;
  /** Base URL of the API, or of a compatible server. @defaultValue OpenAI's */
  readonly baseURL?: string | undefined;
  /**
   * Model that this endpoint uses in place of the request's, such as Azure's deployment.
   * @defaultValue the request's
   */
  readonly model?: string | undefined;
  /** Share of the calls, relative to other endpoints that do equally well; above 0. @defaultValue 1 */
  readonly weight?: number | undefined;
  /** `OpenAI-Organization` header. Keys of one organisation and project share their limits. @defaultValue none */
  readonly organization?: string | undefined;
  /** `OpenAI-Project` header. @defaultValue none */
  readonly project?: string | undefined;
  /** Headers sent with every request. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** API version of Azure OpenAI, such as `2024-10-21`. @defaultValue none: not Azure */
  readonly apiVersion?: string | undefined;
  /** The API that its server is asked by. @defaultValue the client's `api` */
  readonly api?: ApiForm | undefined;
  /** The form in which requests are written for its server. @defaultValue the client's `dialect` */
  readonly dialect?: Dialect | undefined;
  /** Fields of the request's body for this endpoint alone, over the client's `extraBody`. @defaultValue none */
  readonly extraBody?: ExtraBody | undefined;
  /** Limits of its quota group. @defaultValue the client's `limits` */
  readonly limits?: QuotaLimitOptions | undefined;
}

export const QUOTA_LIMIT_CHECKS = {
  requestsPerMinute: finiteNumber({ min: 1 }),
  tokensPerMinute: finiteNumber({ min: 1 }),
  rampFromTokensPerMinute: finiteNumber({ min: 1 }),
  maxConcurrency: integer({ min: 1 }),
  initialConcurrency: integer({ min: 1 }),
} as const;

export const apiCheck = oneOf('chat', 'responses');

export const dialectCheck = oneOf('auto', 'openai', 'generic');

export const ENDPOINT_SPEC = {
  name: boundedText(MAX_MODEL_LENGTH),
  apiKey: apiKeyCheck(),
  baseURL: baseUrl(),
  model: boundedText(MAX_MODEL_LENGTH),
  weight: finiteNumber({ min: 0.001, max: 1000 }),
  organization: headerSafeSecret(),
  project: headerSafeSecret(),
  headers: headerRecord(),
  apiVersion: nonEmptyText(),
  api: apiCheck,
  dialect: dialectCheck,
  extraBody: extraBodyCheck(),
  limits: shape(QUOTA_LIMIT_CHECKS),
} satisfies OptionChecks<EndpointOptions>;

/** Breakers, stats and health are kept for each endpoint, so their number is bounded. */
const MAX_ENDPOINTS = 100;

const endpointList = listOf(shape(ENDPOINT_SPEC));

const checkEndpoints: OptionCheck = (value, option) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ENDPOINTS) {
    return value === undefined
      ? []
      : [{ option, expected: `an array of 1 to ${MAX_ENDPOINTS} endpoints`, got: describeKind(value) }];
  }
  const issues = endpointList(value, option);
  if (issues.length > 0) return issues;
  const endpoints = copyBy(endpointList, value) as readonly EndpointOptions[];
  const wrong = endpoints.flatMap(({ baseURL = DEFAULT_BASE_URL, apiVersion }, index) =>
    addressIssues(baseURL, apiVersion, `${option}[${index}].baseURL`),
  );
  return [...wrong, ...repeatedNames(namedEndpoints(endpoints), option)];
};

export const endpointsCheck = copying(checkEndpoints, (value) => copyBy(endpointList, value));

function repeatedNames(endpoints: readonly EndpointDescription[], option: string): readonly ConfigIssue[] {
  const names = endpoints.map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ option: `${option}[${index}].name`, expected: 'a name of its own', got: `${describeValue(name)} twice` }],
  );
}

/** Gives every endpoint a name, and an empty key where it has none. */
export const namedEndpoints = (endpoints: readonly EndpointOptions[]): readonly EndpointDescription[] =>
  endpoints.map((endpoint, index) => ({
    ...endpoint,
    name: endpoint.name ?? `endpoint-${index + 1}`,
    apiKey: endpoint.apiKey ?? '',
  }));

/**
 * The quota group of each endpoint where it is known, named after its first endpoint. Limits hold for an organisation
 * and project, whatever the key. Where neither is named, equal keys are one group, and answers show the rest. Endpoints
 * with limits of their own are not merged, because their limits must hold. Source: OpenAI, "Rate limits" guide.
 */
export function quotaGroupNames(endpoints: readonly EndpointDescription[]): readonly (string | undefined)[] {
  const owners = endpoints.map((endpoint) => ownerOf(endpoint));
  return endpoints.map((endpoint, index) => {
    const first = owners.indexOf(owners[index] ?? '');
    const isShared = owners.indexOf(owners[index] ?? '', first + 1) !== -1;
    return isShared || isNamed(endpoint) || hasLimits(endpoint) ? endpoints[first]?.name : undefined;
  });
}

const isNamed = ({ organization, project }: EndpointDescription) => organization !== undefined || project !== undefined;

const hasLimits = ({ limits = NO_OPTIONS }: EndpointDescription) =>
  limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined;

/** An address in one spelling, however it was written. */
export const addressOf = ({
  baseURL = DEFAULT_BASE_URL,
  apiVersion,
}: Pick<EndpointDescription, 'baseURL' | 'apiVersion'>): string => apiAddress(baseURL, apiVersion).baseURL;

/** The hosts of OpenAI itself, in every region. */
const OPENAI_HOST = /^([a-z]+\.)?api\.openai\.com$/;

/** Whether its server has the limits of OpenAI's strict mode. Azure and compatible servers have their own. */
export function hasStrictLimits({ dialect = 'auto', baseURL = DEFAULT_BASE_URL }: EndpointDescription): boolean {
  if (dialect !== 'auto') return dialect === 'openai';
  return URL.canParse(baseURL) && OPENAI_HOST.test(new URL(baseURL).hostname);
}

const ownerOf = (endpoint: EndpointDescription, scope?: string): string => {
  const { name, apiKey, organization, project } = endpoint;
  // A function may give other keys over time; the endpoint stays the same.
  const key = typeof apiKey === 'string' ? apiKey : { endpoint: name, scope };
  const address = addressOf(endpoint);
  return JSON.stringify(isNamed(endpoint) ? [address, organization, project] : [address, key]);
};

/**
 * Names the owner of an endpoint's limits: the same in every process, and without the key. So processes that share a
 * Redis share the limits of one account, and never those of two. `scope` tells apart tenants whose key is a function.
 */
export const accountName = (endpoint: EndpointDescription, scope?: string): string =>
  createHash('sha256').update(ownerOf(endpoint, scope)).digest('hex').slice(0, 16);

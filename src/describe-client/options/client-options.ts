import type { Clock } from '../../internal/clock.ts';
import type { ExtraBody } from '../../internal/options/extra-body.ts';
import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import type { ApiForm } from '../../openai/exchange/exchange.ts';
import type { Dialect } from '../../openai/exchange/request-dialect.ts';
import type { OpenAIConnectionPool, TlsOptions } from '../../openai/index.ts';
import type { ModelOverrides } from '../../openai/models/model-catalog.ts';
import type { ApiKey } from '../../openai/pool/api-key.ts';
import type { PerformanceMonitor } from '../../performance-monitor/index.ts';
import type { RedisCache, RedisClientLike, RedisTargetOptions } from '../../redis-cache/index.ts';
import type { ClientImageOptions } from './client-image-options.ts';
import type { Logger } from './client-logger.ts';
import type { ImageDetail } from './describe-request.ts';
import type { EndpointDescription, EndpointOptions } from './endpoint-options.ts';
import type { FallbackStep } from './fallback-option.ts';
import type { ClientLimitOptions } from './limit-options.ts';
import type {
  AttemptBreaker,
  BatchOptions,
  ClientBreakerOptions,
  ClientCacheOptions,
  ClientMonitorOptions,
  ClientPoolOptions,
  ClientRetryOptions,
} from './part-options.ts';
import type { TenantsOptions } from './tenant-options.ts';

export interface DescribeClientOptions {
  /**
   * Key of the API, or a function that gives it, for tokens that expire within the hour. The function is called before
   * each request, health checks included; concurrent requests share one call. A client can be made without a key: calls
   * that need the API then reject with `DESCRIBE_CONFIG_INVALID`.
   * @defaultValue `OPENAI_API_KEY`
   */
  readonly apiKey?: ApiKey | undefined;
  /** Base URL of the API, or of a compatible server. @defaultValue `OPENAI_BASE_URL`, else OpenAI's */
  readonly baseURL?: string | undefined;
  /** API version of Azure OpenAI, such as `2024-10-21`. @defaultValue none: not Azure */
  readonly apiVersion?: string | undefined;
  /** `OpenAI-Organization` header. @defaultValue `OPENAI_ORG_ID` */
  readonly organization?: string | undefined;
  /** `OpenAI-Project` header. @defaultValue `OPENAI_PROJECT_ID` */
  readonly project?: string | undefined;
  /** Headers sent with every request. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The API that is asked: chat completions, or responses, with `store: false` always. Results and errors are the same,
   * and so are cached descriptions. Every compatible server has the first; some features of new models need the second.
   * @defaultValue 'chat'
   */
  readonly api?: ApiForm | undefined;
  /**
   * The form in which requests are written. `auto` uses OpenAI's form. Where a server refuses a parameter by name
   * (`store`, `max_completion_tokens`, `max_tokens`, `temperature`, `detail`), the request is sent again without it, or
   * with its other name. That is learned for each endpoint and model, tried again after an hour, and costs no retry.
   * `openai` always uses OpenAI's form. `generic` sends `max_tokens` and no `store`, for servers that misread unknown
   * parameters.
   * @defaultValue 'auto'
   */
  readonly dialect?: Dialect | undefined;
  /**
   * Several keys, addresses or models in place of one `apiKey`, `baseURL`, `apiVersion`, `organization`, `project` and
   * `headers`; 1 to 100.
   * @defaultValue one, of `apiKey` and `baseURL`
   */
  readonly endpoints?: readonly EndpointOptions[] | undefined;
  /** Limits of rate and concurrency. @defaultValue what the answers' headers say */
  readonly limits?: ClientLimitOptions | undefined;
  /** Model of requests that name none. @defaultValue 'gpt-4.1-mini' */
  readonly model?: string | undefined;
  /** Prompt of requests that have none. @defaultValue 'Describe this image.' */
  readonly prompt?: string | undefined;
  /** Instructions before the prompt, as the system message, of requests that have none. @defaultValue none */
  readonly system?: string | undefined;
  /** Randomness of answers, from 0 to 2. Reasoning models refuse it. @defaultValue the model's own */
  readonly temperature?: number | undefined;
  /**
   * Reasoning before an answer, which is billed as output.
   * @defaultValue the least that the model has, by the catalog
   */
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /**
   * Fields of the request's body that have no option here, such as `seed` or `top_p`. Those of an endpoint and of a
   * request win over these. It must not set fields that the SDK writes itself, such as `model`, `messages` or `store`.
   * @defaultValue none
   */
  readonly extraBody?: ExtraBody | undefined;
  /**
   * Detail of requests that name none. It is always sent, because the API's own default is the most expensive.
   * @defaultValue 'low'
   */
  readonly detail?: ImageDetail | undefined;
  /**
   * Names the owner of the descriptions. Cached descriptions, running calls and packs are shared only within one scope.
   * Set it to the tenant where tenants must not see each other's descriptions; see docs/guide/security.md. At most 256
   * characters.
   * @defaultValue none: shared by all who use the same Redis and `keyPrefix`
   */
  readonly cacheScope?: string | undefined;
  /**
   * Most tokens of an answer, at least 1. Rate limits reserve this many, so keep it low. A model that reasons has
   * headroom over them.
   * @defaultValue 300
   */
  readonly maxOutputTokens?: number | undefined;
  /** Timeout of a whole call, waits and retries included, in milliseconds. @defaultValue 60000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Timeout of one attempt, from the connection to the end of the answer, in milliseconds. For a stream, that of its
   * first bytes and of each silence after them. @defaultValue 30000
   */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * Where Redis is: its options, its URL, or your own ioredis client.
   * @defaultValue `REDIS_URL`, `REDIS_HOST`…, else memory only
   */
  readonly redis?: string | RedisTargetOptions | RedisClientLike | undefined;
  /** Options of the cache, your own, or `false` for none. @defaultValue on */
  readonly cache?: ClientCacheOptions | RedisCache | false | undefined;
  /** Options of the monitor, your own, or `false` for none: then `metrics()` is empty. @defaultValue on */
  readonly monitor?: ClientMonitorOptions | PerformanceMonitor | false | undefined;
  /** Options of the connection pool, or a function that gives it. @defaultValue on */
  readonly pool?: ClientPoolOptions | ((endpoint: EndpointDescription) => OpenAIConnectionPool) | undefined;
  /**
   * Options of the circuit breakers, one for each endpoint and model, a function that gives them, or `false` for none.
   * @defaultValue on
   */
  readonly circuitBreaker?:
    | ClientBreakerOptions
    | false
    | ((endpoint: EndpointDescription, model: string) => AttemptBreaker)
    | undefined;
  /**
   * Packs several images into one request: options of the processor always do, `false` never does. `'auto'` packs while
   * the requests of a minute run out before its tokens, by the answers' headers.
   * @defaultValue false
   */
  readonly batch?: BatchOptions | 'auto' | false | undefined;
  /** Options of the retry, or `false` for one attempt only. @defaultValue on, 3 attempts */
  readonly retry?: ClientRetryOptions | false | undefined;
  /**
   * Fallbacks, tried in the order given, 1 to 10: another model, the expired cache entry, your own function. They
   * replace failures of the service, a limit, the quota or an open breaker, never a fault of the image. They end by the
   * call's deadline.
   * @defaultValue none
   */
  readonly fallback?: readonly FallbackStep[] | undefined;
  /**
   * Limits of images, their allowed hosts, and the rule by which two images are the same.
   * @defaultValue guarded, by URL
   */
  readonly images?: ClientImageOptions | undefined;
  /** Sizes and prices, by name, of models that are missing or wrong in the built-in catalog. @defaultValue none */
  readonly models?: ModelOverrides | undefined;
  /** Bounds of the tenants that `withKey` makes. @defaultValue `{ max: 1000, maxConnections: 200 }` */
  readonly tenants?: TenantsOptions | undefined;
  /** Opens the pool's connections at once rather than at the first call. @defaultValue false */
  readonly warmUpOnStart?: boolean | undefined;
  /**
   * URL of an HTTP proxy to the API, or `false` for none, whatever the environment says.
   * @defaultValue `HTTPS_PROXY` or `HTTP_PROXY`, except for hosts of `NO_PROXY`
   */
  readonly proxy?: string | false | undefined;
  /** Custom authorities and client certificate for the API. @defaultValue the system's */
  readonly tls?: TlsOptions | undefined;
  /**
   * Gets messages for operators; pino fits. It never gets a key, a prompt, an image or a description.
   * @defaultValue silent
   */
  readonly logger?: Logger | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

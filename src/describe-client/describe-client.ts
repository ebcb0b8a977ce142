import type { VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import { ClosedError } from '../errors/closed-error.ts';
import type { Inputs } from '../internal/async/map-concurrently.ts';
import { bindMethods } from '../internal/bind-methods.ts';
import type { OpenAIConnectionPool } from '../openai/index.ts';
import type { SpendingEstimate } from '../openai/models/estimate.ts';
import type { ApiKey } from '../openai/pool/api-key.ts';
import type { PerformanceMonitor, PerformanceReport } from '../performance-monitor/index.ts';
import type { RedisCache } from '../redis-cache/index.ts';
import {
  type DescribeManyItems,
  type DescribeManyOptions,
  describeEach,
  type StructuredManyOptions,
} from './bulk/describe-many.ts';
import { type EstimateOptions, estimateCalls } from './bulk/estimate-calls.ts';
import { type ClientWarmOptions, type ClientWarmResult, warmCache } from './bulk/warm-cache.ts';
import type { DescribeResult, StructuredResult } from './call/describe-result.ts';
import { DescriptionStream } from './call/description-stream.ts';
import { type ClientStats, clientStats } from './client-stats.ts';
import { composeParts } from './compose-parts.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type {
  DescribeInput,
  DescribeOptions,
  StructuredOptions,
  StructuredRequest,
} from './options/describe-request.ts';
import type { AttemptBreaker } from './options/part-options.ts';
import type { TenantOptions } from './options/tenant-options.ts';
import { type ClientHealth, clientHealth } from './reports/client-health.ts';
import { ClientCore } from './tenants/client-core.ts';
import { TenantCore } from './tenants/tenant-core.ts';
import { warmUpEndpoints, warmUpOnStart } from './warm-up.ts';

/**
 * Describes images through pool, batch, cache, breaker and monitor, composed. It opens nothing until the first call,
 * and closes only what it made.
 *
 * @example
 * ```ts
 * import { createDescribeClient } from '@describe-it/sdk';
 *
 * const client = createDescribeClient({ apiKey: 'sk-…' });
 * const { description } = await client.describe({ file: 'cat.jpg', prompt: 'What is in the picture?' });
 * console.log(description);
 * await client.close();
 * ```
 */
export class DescribeClient implements AsyncDisposable {
  readonly #core: ClientCore | TenantCore;
  #ending: Promise<void> | undefined;
  #destroyed: Promise<void> | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option and environment variable. */
  constructor(options?: DescribeClientOptions);
  constructor(given: DescribeClientOptions | TenantCore = {}) {
    this.#core = given instanceof TenantCore ? given : new ClientCore(composeParts(given));
    if (given instanceof TenantCore) return;
    const { parts } = this.#core;
    if (parts.settings.warmUpOnStart) warmUpOnStart(parts);
  }

  /** Connection pools by the name of their endpoint. An endpoint without a key has none. */
  get pools(): Readonly<Record<string, OpenAIConnectionPool>> {
    return this.#core.parts.endpoints.pools;
  }

  /** The batch processor; absent without `batch`. */
  get batch(): VisionDescriptionBatchProcessor | undefined {
    return this.#core.parts.batch;
  }

  /** The cache; absent with `cache: false`. */
  get cache(): RedisCache | undefined {
    return this.#core.parts.cache;
  }

  /** Circuit breakers by endpoint and model; empty with `circuitBreaker: false`. */
  get breakers(): Readonly<Record<string, AttemptBreaker>> {
    return this.#core.parts.endpoints.breakersByName();
  }

  /** The monitor; absent with `monitor: false`. */
  get monitor(): PerformanceMonitor | undefined {
    return this.#core.parts.monitor;
  }

  /**
   * Describes one image. `options` wins over the request. `data` has the type that `schema.parse` returns, `unknown`
   * without `parse`; without a `schema` it is `undefined`.
   *
   * @throws `DESCRIBE_INPUT_INVALID` and `DESCRIBE_IMAGE_…` for an image or request that can't be sent, before anything
   * is spent.
   * @throws `DESCRIBE_TIMEOUT` after `timeoutMs`, or the signal's reason when it aborts.
   * @throws `DESCRIBE_CACHE_MISS` with `cache: 'only-if-cached'`, `DESCRIBE_CLOSED` after `close()`,
   * `DESCRIBE_QUEUE_FULL` beyond `limits.maxQueuedCalls`, and the last failure of the API, after retries: see
   * docs/errors.md.
   * @throws `DESCRIBE_CONFIG_INVALID` when there is no key and the description is not cached.
   */
  describe<Data>(input: DescribeInput, options: StructuredOptions<Data>): Promise<StructuredResult<Data>>;
  describe<Data>(input: StructuredRequest<Data>, options?: DescribeOptions<Data>): Promise<StructuredResult<Data>>;
  describe<Data = undefined>(
    input: DescribeInput<Data>,
    options?: DescribeOptions<Data>,
  ): Promise<DescribeResult<Data>>;
  describe(input: DescribeInput, options?: DescribeOptions): Promise<DescribeResult> {
    return this.#core.runner.describe(input, options);
  }

  /**
   * Describes one image as `describe` does, and gives the description while it is written.
   *
   * The answer of one call is delivered: it is retried, moved or replaced by a fallback only before its first delta.
   * `attemptTimeoutMs` bounds the wait for the first bytes, and each silence after them. Calls for the same image join
   * a running stream from its start; its end, cached, is a stream of one delta. No batch takes it.
   *
   * Throws nothing: the iteration and `result` reject, with the errors of `describe`.
   */
  stream<Data>(input: DescribeInput, options: StructuredOptions<Data>): DescriptionStream<Data, StructuredResult<Data>>;
  stream<Data>(
    input: StructuredRequest<Data>,
    options?: DescribeOptions<Data>,
  ): DescriptionStream<Data, StructuredResult<Data>>;
  stream<Data = undefined>(input: DescribeInput<Data>, options?: DescribeOptions<Data>): DescriptionStream<Data>;
  stream(input: DescribeInput, options?: DescribeOptions): DescriptionStream {
    return new DescriptionStream((deltas, ownerSignal) =>
      this.#core.runner.describe(input, options, { deltas, ownerSignal }),
    );
  }

  /**
   * Describes any number of images with bounded concurrency and memory. The failure of one item is yielded, not thrown.
   * Stopping the iteration aborts the calls in work. Fields of a request among the options are for all inputs, and win.
   *
   * @throws `DESCRIBE_INPUT_INVALID` for wrong options, the signal's reason when it aborts, and any error of the
   * iterable of inputs; `DESCRIBE_CLOSED`, or the reason given to `destroy()`, when the client ends before all inputs
   * were read.
   */
  describeMany<Data>(
    inputs: Inputs<DescribeInput>,
    options: StructuredManyOptions<Data>,
  ): DescribeManyItems<Data, StructuredResult<Data>>;
  describeMany<Data>(
    inputs: Inputs<StructuredRequest<Data>>,
    options?: DescribeManyOptions<Data>,
  ): DescribeManyItems<Data, StructuredResult<Data>>;
  describeMany<Data = undefined>(
    inputs: Inputs<DescribeInput<Data>>,
    options?: DescribeManyOptions<Data>,
  ): DescribeManyItems<Data>;
  describeMany(inputs: Inputs<DescribeInput>, options: DescribeManyOptions = {}): DescribeManyItems {
    return describeEach(
      inputs,
      (input, ownerSignal, fields) => this.#core.runner.describe(input, fields, { ownerSignal }),
      options,
      this.#core.parts.clock,
      this.#core.calls.refused,
    );
  }

  /**
   * Tokens, price and time before anything is spent, as if nothing were cached. Sends nothing. An image that is known
   * only by its URL counts as the largest that its model and detail allow.
   *
   * @throws `DESCRIBE_INPUT_INVALID` and `DESCRIBE_IMAGE_…` for an input that could not be described either.
   */
  estimate(inputs: Inputs<DescribeInput>, options: EstimateOptions = {}): Promise<SpendingEstimate> {
    return estimateCalls(inputs, options, this.#core.parts);
  }

  /**
   * Opens and authenticates the minimum of connections of every endpoint.
   *
   * @throws `DESCRIBE_CONFIG_INVALID` when there is no key.
   * @throws the first failure when none could be reached; `DESCRIBE_CLOSED` after `close()`, and the reason given to
   * `destroy()` meanwhile.
   */
  async warmUp(): Promise<void> {
    this.#core.calls.assertOpen();
    await warmUpEndpoints(this.#core.parts, this.#core.calls.ended);
  }

  /**
   * Fills the cache with the descriptions of these inputs that are missing or expired. Answers of a fallback and stale
   * entries do not count. An input that fails is listed.
   *
   * @throws `DESCRIBE_CONFIG_INVALID` with `cache: false`, `DESCRIBE_INPUT_INVALID` for wrong options, the signal's
   * reason when it aborts, and any error of the iterable of inputs.
   * @throws `DESCRIBE_CLOSED` when the client is closed before all inputs were read, once the calls in work have ended;
   * the reason given to `destroy()` when that ends them.
   */
  async warm(inputs: Inputs<DescribeInput>, options: ClientWarmOptions = {}): Promise<ClientWarmResult> {
    const { calls, parts, runner } = this.#core;
    calls.assertOpen();
    return warmCache(
      inputs,
      (input, ownerSignal) => runner.describe(input, undefined, { ownerSignal, fillsCache: true }),
      options,
      { hasCache: parts.cache !== undefined, clock: parts.clock, refused: calls.refused },
    );
  }

  /**
   * Removes the cached description of this very request (image, prompt, model, detail and schema), on every process. A
   * fallback model's answer in its place is removed too. Later calls do not join one in work. To remove all
   * descriptions of an image, give them a tag. While Redis is away the removal is kept for it, unless the client ends.
   *
   * @throws as `describe` for an input that can't be described. An image that is named by its bytes is read for that.
   * @throws `DESCRIBE_TIMEOUT` after `timeoutMs`, the signal's reason when it aborts, `DESCRIBE_CLOSED`,
   * `DESCRIBE_QUEUE_FULL` beyond `limits.maxQueuedCalls`; `DESCRIBE_CACHE` only with a cache that is `strict`.
   */
  async invalidate(input: DescribeInput, options?: DescribeOptions): Promise<void> {
    await this.#core.runner.invalidate(input, options);
  }

  /**
   * Removes every cached description with one of these tags, on every process. While Redis is away the removal is kept
   * for it, unless the client ends.
   *
   * @throws `DESCRIBE_INPUT_INVALID`, `DESCRIBE_TIMEOUT` after the client's `timeoutMs`, `DESCRIBE_CLOSED`;
   * `DESCRIBE_CACHE` only with a cache that is `strict`.
   */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    await this.#core.runner.invalidateTags(tags);
  }

  /** Health of each part and the whole: `unhealthy` without new descriptions, `degraded` with less. Sends nothing. */
  async health(): Promise<ClientHealth> {
    return clientHealth(this.#core.parts, this.#core.calls.isOpen);
  }

  /** Prometheus text of the monitor; empty without one. */
  async metrics(): Promise<string> {
    return (await this.#core.parts.monitor?.getMetrics()) ?? '';
  }

  /** The monitor's report over its window; undefined without a monitor. */
  report(): PerformanceReport | undefined {
    return this.#core.parts.monitor?.generateReport();
  }

  /** A frozen, JSON-safe snapshot of every part. */
  stats(): ClientStats {
    return clientStats(this.#core);
  }

  /**
   * A client for one tenant, with a key of its own. It has its own connections, breakers and limits, and shares the
   * cache, the monitor and the admission of this client. It sends none of this client's organization, project and
   * headers. Its descriptions are its own, by `cacheScope` or by the hash of its key.
   *
   * It opens nothing until its first call, and may be made for each request: the same key (or the same function) and
   * options are the same tenant. An evicted tenant is made anew at its next call. `close()` ends this client of the
   * tenant only; closing the client that it came from closes all tenants.
   *
   * @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong. A client with several endpoints needs `endpoint`, a
   * function as key needs `cacheScope`, and a client whose `pool` is a function has no tenants.
   * @example
   * ```ts
   * import { createDescribeClient } from '@describe-it/sdk';
   *
   * const client = createDescribeClient({ apiKey: 'sk-…' });
   * const tenant = client.withKey('sk-of-the-tenant', { cacheScope: 'tenant-7' });
   * const { description } = await tenant.describe('https://example.com/cat.jpg');
   * console.log(description);
   * await client.close();
   * ```
   */
  withKey(apiKey: ApiKey, options: TenantOptions = {}): DescribeClient {
    const core = this.#core.tenant(apiKey, options);
    return bindMethods(new (DescribeClient as unknown as new (core: TenantCore) => DescribeClient)(core));
  }

  /** Refuses new calls, lets those in work end, and closes what the client made. */
  close(): Promise<void> {
    const { calls } = this.#core;
    // No more images will fill the batches.
    if (calls.isOpen) this.#core.flush();
    calls.refuse();
    this.#ending ??= calls.drained().then(() => this.#core.end());
    return this.#ending;
  }

  /**
   * Rejects every call in work with `reason`, and closes what the client made without waiting. Also works during
   * `close()`.
   */
  destroy(reason: unknown = new ClosedError('the client')): Promise<void> {
    this.#core.calls.end(reason);
    this.#destroyed ??= this.#core.end(reason);
    this.#ending ??= this.#destroyed;
    return this.#destroyed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

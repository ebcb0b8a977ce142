import type { BatchMetrics, VisionDescriptionBatchProcessor } from '../batch-processor/index.ts';
import type { CircuitBreakerStats } from '../circuit-breaker/index.ts';
import { ClosedError } from '../errors/closed-error.ts';
import { DescribeError } from '../errors/describe-error.ts';
import { deepFreeze } from '../internal/deep-freeze.ts';
import type { OpenAIConnectionPool, OpenAIConnectionPoolStats } from '../openai/index.ts';
import type { SpendingEstimate } from '../openai/models/estimate.ts';
import type { PerformanceMonitor, PerformanceReport } from '../performance-monitor/index.ts';
import type { RedisCache, RedisCacheStats } from '../redis-cache/index.ts';
import type { RetryStats } from '../retry/index.ts';
import type { QuotaStats, RouterStats } from '../routing/index.ts';
import { type DescribeManyItem, type DescribeManyOptions, describeEach } from './bulk/describe-many.ts';
import { type EstimateOptions, estimateCalls } from './bulk/estimate-calls.ts';
import { type ClientWarmOptions, type ClientWarmResult, warmCache } from './bulk/warm-cache.ts';
import type { AdmissionStats } from './call/admission.ts';
import { CallRegister, type CallStats } from './call/call-register.ts';
import { CallRunner } from './call/call-runner.ts';
import type { DescribeResult, StructuredResult } from './call/describe-result.ts';
import { DescriptionStream } from './call/description-stream.ts';
import { type ClientParts, composeParts } from './compose-parts.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type {
  DescribeInput,
  DescribeOptions,
  StructuredOptions,
  StructuredRequest,
} from './options/describe-request.ts';
import type { AttemptBreaker } from './options/part-options.ts';
import { type ClientHealth, clientHealth } from './reports/client-health.ts';

/** A frozen, JSON-safe snapshot of every part. */
export interface ClientStats {
  readonly calls: CallStats;
  /** Calls in the client, and the bytes of their images. */
  readonly admission: AdmissionStats;
  readonly pools: Readonly<Record<string, OpenAIConnectionPoolStats>>;
  readonly breakers: Readonly<Record<string, CircuitBreakerStats>>;
  /** The queue of calls, and the state of each endpoint. */
  readonly routing: RouterStats;
  /** The state of each limit, by quota group and model. */
  readonly quotas: readonly QuotaStats[];
  readonly retry: RetryStats;
  /** Absent with `cache: false`. */
  readonly cache?: RedisCacheStats;
  /** Absent without `batch`. */
  readonly batch?: BatchMetrics;
}

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
  readonly #parts: ClientParts;
  readonly #calls: CallRegister;
  readonly #runner: CallRunner;
  #ending: Promise<void> | undefined;
  #destroyed: Promise<void> | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option and environment variable. */
  constructor(options: DescribeClientOptions = {}) {
    this.#parts = composeParts(options);
    this.#calls = new CallRegister(this.#parts.clock);
    this.#runner = new CallRunner(this.#parts, this.#calls);
    const { settings, logger } = this.#parts;
    if (!settings.warmUpOnStart) return;
    this.warmUp().catch((error: unknown) => {
      const fields = DescribeError.is(error) ? { code: error.code, reason: error.message } : {};
      logger.warn(fields, 'the warm-up failed');
    });
  }

  /** Connection pools by the name of their endpoint. */
  get pools(): Readonly<Record<string, OpenAIConnectionPool>> {
    return this.#parts.endpoints.pools;
  }

  /** The batch processor; absent without `batch`. */
  get batch(): VisionDescriptionBatchProcessor | undefined {
    return this.#parts.batch;
  }

  /** The cache; absent with `cache: false`. */
  get cache(): RedisCache | undefined {
    return this.#parts.cache;
  }

  /** Circuit breakers by endpoint and model; empty with `circuitBreaker: false`. */
  get breakers(): Readonly<Record<string, AttemptBreaker>> {
    return this.#parts.endpoints.breakersByName();
  }

  /** The monitor; absent with `monitor: false`. */
  get monitor(): PerformanceMonitor | undefined {
    return this.#parts.monitor;
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
    return this.#runner.describe(input, options);
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
      this.#runner.describe(input, options, { deltas, ownerSignal }),
    );
  }

  /**
   * Describes any number of images with bounded concurrency and memory. The failure of one item is yielded, not thrown.
   * Stopping the iteration aborts the calls in work.
   *
   * @throws `DESCRIBE_INPUT_INVALID` for wrong options, the signal's reason when it aborts, and any error of the
   * iterable of inputs.
   */
  describeMany<Data>(
    inputs: Iterable<StructuredRequest<Data>> | AsyncIterable<StructuredRequest<Data>>,
    options?: DescribeManyOptions,
  ): AsyncGenerator<DescribeManyItem<Data, StructuredResult<Data>>, void, undefined>;
  describeMany<Data = undefined>(
    inputs: Iterable<DescribeInput<Data>> | AsyncIterable<DescribeInput<Data>>,
    options?: DescribeManyOptions,
  ): AsyncGenerator<DescribeManyItem<Data>, void, undefined>;
  describeMany(
    inputs: Iterable<DescribeInput> | AsyncIterable<DescribeInput>,
    options: DescribeManyOptions = {},
  ): AsyncGenerator<DescribeManyItem, void, undefined> {
    return describeEach(
      inputs,
      (input, ownerSignal) => this.#runner.describe(input, undefined, { ownerSignal }),
      options,
      this.#calls.refused,
    );
  }

  /**
   * Tokens, price and time before anything is spent, as if nothing were cached. Sends nothing. An image that is known
   * only by its URL counts as the largest that its model and detail allow.
   *
   * @throws `DESCRIBE_INPUT_INVALID` and `DESCRIBE_IMAGE_…` for an input that could not be described either.
   */
  estimate(
    inputs: Iterable<DescribeInput> | AsyncIterable<DescribeInput>,
    options: EstimateOptions = {},
  ): Promise<SpendingEstimate> {
    return estimateCalls(inputs, options, this.#parts);
  }

  /**
   * Opens and authenticates the minimum of connections of every endpoint.
   *
   * @throws `DESCRIBE_CONFIG_INVALID` when there is no key.
   * @throws the first failure when none could be reached.
   */
  async warmUp(): Promise<void> {
    this.#calls.assertOpen();
    const { endpoints, logger, makeKeyError } = this.#parts;
    if (makeKeyError !== undefined) throw makeKeyError();
    await endpoints.warmUp((endpoint, code) => logger.warn({ endpoint, code }, 'the warm-up failed'));
  }

  /**
   * Fills the cache with the descriptions of these inputs that are missing or expired. Answers of a fallback and stale
   * entries do not count. An input that fails is listed.
   *
   * @throws `DESCRIBE_CONFIG_INVALID` with `cache: false`, `DESCRIBE_INPUT_INVALID` for wrong options, the signal's
   * reason when it aborts, and any error of the iterable of inputs.
   * @throws `DESCRIBE_CLOSED` when the client ends before all inputs were read, once the calls in work have ended.
   */
  async warm(
    inputs: Iterable<DescribeInput> | AsyncIterable<DescribeInput>,
    options: ClientWarmOptions = {},
  ): Promise<ClientWarmResult> {
    this.#calls.assertOpen();
    return warmCache(
      inputs,
      (input, ownerSignal) => this.#runner.describe(input, undefined, { ownerSignal, fillsCache: true }),
      options,
      this.#parts.cache !== undefined,
      this.#calls.refused,
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
    await this.#runner.invalidate(input, options);
  }

  /**
   * Removes every cached description with one of these tags, on every process. While Redis is away the removal is kept
   * for it, unless the client ends.
   *
   * @throws `DESCRIBE_INPUT_INVALID`, `DESCRIBE_TIMEOUT` after the client's `timeoutMs`, `DESCRIBE_CLOSED`;
   * `DESCRIBE_CACHE` only with a cache that is `strict`.
   */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    await this.#runner.invalidateTags(tags);
  }

  /** Health of each part and of the whole: `unhealthy` without new descriptions, `degraded` with less. Sends nothing. */
  async health(): Promise<ClientHealth> {
    return clientHealth(this.#parts, this.#calls.isOpen);
  }

  /** Prometheus text of the monitor; empty without one. */
  async metrics(): Promise<string> {
    return (await this.#parts.monitor?.getMetrics()) ?? '';
  }

  /** The monitor's report over its window; undefined without a monitor. */
  report(): PerformanceReport | undefined {
    return this.#parts.monitor?.generateReport();
  }

  /** A frozen, JSON-safe snapshot of every part. */
  stats(): ClientStats {
    const { endpoints, admission, attempts, retry, batch, cache } = this.#parts;
    return deepFreeze({
      calls: this.#calls.stats(),
      admission: admission.getStats(),
      pools: Object.fromEntries(Object.entries(endpoints.pools).map(([name, pool]) => [name, pool.getStats()])),
      breakers: Object.fromEntries(
        Object.entries(endpoints.breakersByName()).map(([name, breaker]) => [name, breaker.getStats()]),
      ),
      routing: attempts.router.getStats(),
      quotas: attempts.quotas.getStats(),
      retry: retry.getStats(),
      ...(cache === undefined ? {} : { cache: cache.getStats() }),
      ...(batch === undefined ? {} : { batch: batch.getMetrics() }),
    });
  }

  /** Refuses new calls, lets those in work end, and closes what the client made. */
  close(): Promise<void> {
    this.#calls.refuse();
    // No more images will fill the batches.
    void this.#parts.batch?.flush();
    this.#ending ??= this.#calls.drained().then(() => this.#parts.close());
    return this.#ending;
  }

  /**
   * Rejects every call in work with `reason`, and closes what the client made without waiting. Also works during
   * `close()`.
   */
  destroy(reason: unknown = new ClosedError('the client')): Promise<void> {
    this.#calls.end(reason);
    this.#destroyed ??= this.#parts.destroy(reason);
    this.#ending ??= this.#destroyed;
    return this.#destroyed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

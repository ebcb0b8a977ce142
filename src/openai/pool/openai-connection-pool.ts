import type OpenAI from 'openai';
import { DescribeError, PoolCreateError } from '../../errors/index.ts';
import { ConnectionCounters } from '../../http/connection/http-connection.ts';
import { MAX_TIMER_DELAY_MS } from '../../internal/clock.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import type { Listener, Unsubscribe } from '../../internal/emitter.ts';
import type { AcquireOptions, DrainOptions, ResourcePoolEvents } from '../../resource-pool/index.ts';
import { ResourcePool } from '../../resource-pool/resource-pool.ts';
import { apiAddress } from './api-address.ts';
import { type ApiKey, KeySource } from './api-key.ts';
import { ConnectionLease, type OpenAIConnectionLease } from './connection-lease.ts';
import { probe } from './connection-probe.ts';
import { KeyGate } from './key-gate.ts';
import { createOpenAIConnection, type OpenAIConnection, type OpenAIConnectionOptions } from './openai-connection.ts';
import { DEFAULT_BASE_URL, type OpenAIConnectionPoolOptions, poolSettings } from './openai-pool-options.ts';
import type { OpenAIConnectionPoolStats, OpenAIPoolHealth } from './openai-pool-stats.ts';

const NAME = 'OpenAI connection pool';

/**
 * Lends OpenAI clients, each on its own keep-alive connection. At most `max` requests are on the wire, and `min`
 * connections stay open. It opens nothing before its first use. The clients do not retry.
 *
 * @example
 * ```ts
 * import { OpenAIConnectionPool } from '@describe-it/sdk/openai';
 *
 * const pool = new OpenAIConnectionPool('sk-…', undefined, { min: 2, max: 10 });
 * await pool.warmUp();
 * const answer = await pool.use((client) =>
 *   client.chat.completions.create({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hello' }] }),
 * );
 * await pool.close();
 * ```
 */
export class OpenAIConnectionPool implements AsyncDisposable {
  readonly #pool: ResourcePool<OpenAIConnection>;
  readonly #origin: string;
  readonly #counters = new ConnectionCounters();
  readonly #healthCheckTimeoutMs: number;
  readonly #gate: KeyGate;
  #unusableReason: string | undefined;

  /**
   * @param apiKey - Key of the API, or a function that is asked for it before each request; never shown in stats,
   * errors or logs.
   * @param baseURL - Base of the API's URLs. @defaultValue `https://api.openai.com/v1`
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   */
  constructor(apiKey: ApiKey, baseURL?: string, given: OpenAIConnectionPoolOptions = {}) {
    const options = poolSettings(apiKey, baseURL, given);
    const { clock, idleTimeoutMs, min, max } = options;
    this.#gate = new KeyGate(clock);
    const address = apiAddress(baseURL ?? DEFAULT_BASE_URL, options.apiVersion);
    const key = typeof apiKey === 'string' ? apiKey : new KeySource(apiKey, clock);
    this.#origin = new URL(address.baseURL).origin;
    this.#healthCheckTimeoutMs = options.healthCheckTimeoutMs;
    // Its connections must not keep a pool alive that was not closed and is no longer reachable.
    const self = new WeakRef(this);
    const counters = this.#counters;
    this.#pool = new ResourcePool<OpenAIConnection>({
      factory: {
        create: ({ suspect }) =>
          OpenAIConnectionPool.#connect(self, { apiKey: key, address, settings: options, counters, lost: suspect }),
        destroy: ({ http }) => http.destroy(),
        validate: (connection, { phase, signal }) =>
          phase === 'borrow' ? !connection.http.failed : OpenAIConnectionPool.#probeIdle(self, connection, signal),
        // A stream outlives the call that opened it. Its connection is free only after the end of the stream.
        reset: ({ http }) => http.whenQuiet(),
      },
      name: NAME,
      minSize: min,
      maxSize: max,
      acquireTimeoutMs: options.acquireTimeoutMs,
      idleTimeoutMs,
      healthCheckInterval: options.healthCheckInterval,
      validateTimeoutMs: Math.min(this.#healthCheckTimeoutMs + 1_000, MAX_TIMER_DELAY_MS),
      // The stream's own idle timeout bounds it.
      resetTimeoutMs: MAX_TIMER_DELAY_MS,
      maxUsageCount: options.maxUsageCount,
      maxLifetimeMs: options.maxLifetimeMs,
      maxWaiting: options.maxWaiting,
      leakThresholdMs: options.leakThresholdMs,
      permits: options.permits,
      isBroken: (_error, { http }) => http.failed,
      clock,
    });
    if (options.warmUpOnStart) this.warmUp().catch(() => {});
  }

  /**
   * Lends a client until its lease is released.
   * @throws `DESCRIBE_POOL_TIMEOUT` when no connection became free in time.
   * @throws `DESCRIBE_POOL_CREATE_FAILED` when no client could be made.
   * @throws `DESCRIBE_CONFIG_INVALID` when the package `openai` is not installed.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxWaiting` callers wait already.
   * @throws `DESCRIBE_AUTH` after a health check found the key refused, until it is tried again: 5 s, doubling to 5
   * minutes.
   * @throws `DESCRIBE_CLOSED` when the pool drains or is closed.
   * @throws the signal's reason when it aborts.
   */
  async acquire(options?: AcquireOptions): Promise<OpenAIConnectionLease> {
    if (this.#gate.refusals > 0) this.#gate.check();
    return new ConnectionLease(await this.#pool.acquire(options), this);
  }

  /**
   * Lends a client to `fn` and settles as it does. The connection is always given back, and is replaced when it failed.
   * It is not lent again before the end of a stream that `fn` opened.
   * @throws the errors of `acquire` and `fn`.
   */
  async use<Result>(
    fn: (client: OpenAI) => Result | PromiseLike<Result>,
    options?: AcquireOptions,
  ): Promise<Awaited<Result>> {
    if (this.#gate.refusals > 0) this.#gate.check();
    return this.#pool.use(({ client }) => fn(client), options);
  }

  /**
   * Opens and authenticates `min` connections, in parallel and TLS included.
   * @throws `DESCRIBE_AUTH` when the API refuses the key.
   * @throws the connection's error when one can't be opened; it is replaced in the background.
   * @throws `DESCRIBE_CLOSED` when the pool is closed, before or meanwhile.
   */
  async warmUp(): Promise<void> {
    await this.#pool.warmUp();
    const { failed } = await this.#pool.checkIdle();
    this.#gate.checkKey();
    // The error names why it is closed.
    if (this.#pool.getStats().state === 'closed') await this.#pool.warmUp();
    if (failed > 0) throw this.#gate.lastDeath ?? new PoolCreateError(NAME, 'a connection gave no answer');
  }

  /**
   * Sends a request on every idle connection, on a new one when there is none, and replaces those that fail. Sends
   * nothing before a refused key may be tried again. Never rejects.
   */
  async healthCheck(): Promise<OpenAIPoolHealth> {
    let { checked, failed } = await this.#pool.checkIdle();
    const { size, state } = this.#pool.getStats();
    if (checked === 0 && size === 0 && state === 'open') {
      checked = 1;
      if (!(await this.#probeNew())) failed = 1;
    }
    const keyRefused = this.#gate.closedForMs > 0;
    const unhealthy =
      keyRefused || this.#gate.keyError !== undefined || (checked > 0 && failed === checked) || state === 'closed';
    const status = unhealthy ? 'unhealthy' : failed > 0 ? 'degraded' : 'healthy';
    return Object.freeze({ status, checked, failed, keyRefused });
  }

  /** Connections that are open, being opened or being closed. */
  get size(): number {
    return this.#pool.size;
  }

  /** A frozen, JSON-safe snapshot without the key. */
  getStats(): OpenAIConnectionPoolStats {
    const { closedForMs } = this.#gate;
    return deepFreeze({
      ...this.#pool.getStats(),
      origin: this.#origin,
      connections: { ...this.#counters },
      keyRefused: closedForMs > 0,
      ...(closedForMs > 0 ? { keyTriedInMs: closedForMs } : {}),
      ...(this.#unusableReason === undefined ? {} : { unusableReason: this.#unusableReason }),
    });
  }

  /** Calls `listener` on every later event of that name. */
  on<Name extends keyof ResourcePoolEvents>(name: Name, listener: Listener<ResourcePoolEvents[Name]>): Unsubscribe {
    return this.#pool.on(name, listener);
  }

  /**
   * Refuses new callers, serves the waiting ones, and resolves when every connection was given back.
   * @throws `DESCRIBE_TIMEOUT` when some are still on loan after `timeoutMs`.
   */
  drain(options?: DrainOptions): Promise<void> {
    return this.#pool.drain(options);
  }

  /** Drains, then closes every connection, also one that is still on loan by then. Idempotent; never rejects. */
  close(options?: DrainOptions): Promise<void> {
    return this.#pool.close(options);
  }

  /** Rejects waiting callers with `DESCRIBE_CLOSED` and cuts every connection. Idempotent; never rejects. */
  destroy(reason?: unknown): Promise<void> {
    if (DescribeError.is(reason, 'DESCRIBE_CONFIG_INVALID')) this.#unusableReason ??= reason.message;
    return this.#pool.destroy(reason);
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Without the package `openai` the pool stops: no later connection could be made either. */
  static async #connect(
    self: WeakRef<OpenAIConnectionPool>,
    options: OpenAIConnectionOptions,
  ): Promise<OpenAIConnection> {
    try {
      return await createOpenAIConnection(options);
    } catch (error) {
      if (DescribeError.is(error, 'DESCRIBE_CONFIG_INVALID')) void self.deref()?.destroy(error);
      throw error;
    }
  }

  static #probeIdle(
    self: WeakRef<OpenAIConnectionPool>,
    connection: OpenAIConnection,
    signal: AbortSignal | undefined,
  ): boolean | Promise<boolean> {
    const pool = self.deref();
    // No caller is left that could use the connection.
    return pool === undefined || pool.#probe(connection, signal, true);
  }

  async #probeNew(): Promise<boolean> {
    try {
      const lease = await this.#pool.acquire({ timeoutMs: this.#healthCheckTimeoutMs });
      const alive = await this.#probe(lease.resource, undefined, false);
      if (alive) lease.release();
      else lease.destroy();
      return alive;
    } catch {
      // No connection was lent, or the pool has ended and taken it back.
      return false;
    }
  }

  async #probe(connection: OpenAIConnection, signal: AbortSignal | undefined, background: boolean): Promise<boolean> {
    if (this.#gate.closedForMs > 0) return true;
    const verdict = await probe(connection, { signal, timeoutMs: this.#healthCheckTimeoutMs, background });
    return this.#gate.judge(verdict);
  }
}

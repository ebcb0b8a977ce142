import { ClosedError, QueueFullError } from '../../errors/index.ts';
import { bindMethods } from '../../internal/bind-methods.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { lazy } from '../../internal/modules/lazy.ts';
import { crypto } from '../../internal/modules/node-modules.ts';
import { processSingleton } from '../../internal/modules/process-singleton.ts';
import { readEnvironment } from '../../internal/options/environment.ts';
import {
  checkOptions,
  clockOption,
  integer,
  milliseconds,
  type OptionChecks,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { withoutTrailing } from '../../internal/without-trailing.ts';
import type { ApiKey } from './api-key.ts';
import { OpenAIConnectionPool } from './openai-connection-pool.ts';
import { baseUrlOption, DEFAULT_BASE_URL, type OpenAIConnectionPoolOptions, POOL_SPEC } from './openai-pool-options.ts';
import type { OpenAIConnectionPoolStats } from './openai-pool-stats.ts';

export interface PoolManagerOptions {
  /** Most pools, at least 1. The pool that is unused for longest is evicted first. @defaultValue 100 */
  readonly maxPools?: number | undefined;
  /** Time after which an unused pool that was not requested is closed, in milliseconds. @defaultValue 600_000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

export const POOL_MANAGER_SPEC = {
  maxPools: withDefault(integer({ min: 1 }), 100),
  idleTimeoutMs: withDefault(milliseconds(), 600_000),
  clock: clockOption,
} satisfies OptionChecks<PoolManagerOptions>;

interface Entry {
  readonly pool: OpenAIConnectionPool;
  usedAtMs: number;
  acquired: number;
}

/** Stats of every pool, by a name that is made from key and base URL and reveals neither. */
export type PoolManagerStats = Readonly<Record<string, OpenAIConnectionPoolStats>>;

/**
 * Gives the same pool for the same key and base URL, never more than `maxPools`, and closes those out of use.
 *
 * @example
 * ```ts
 * import { poolManager } from '@describe-it/sdk/openai';
 *
 * const pool = poolManager.getPool('sk-…');
 * console.log(pool === poolManager.getPool('sk-…')); // true
 * await poolManager.closeAll();
 * ```
 */
export class PoolManager {
  readonly #maxPools: number;
  readonly #idleTimeoutMs: number;
  readonly #clock: Clock;
  readonly #entries: BoundedMap<string, Entry>;
  /** Names differ from process to process, so that a leaked one can't be matched against known keys. */
  readonly #salt = lazy(() => crypto().randomBytes(16));
  readonly #functions = new WeakMap<object, string>();
  #timer: TimerHandle | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: PoolManagerOptions = {}) {
    const own = checkOptions('PoolManager', options, POOL_MANAGER_SPEC);
    this.#maxPools = own.maxPools;
    this.#entries = new BoundedMap(this.#maxPools, { onEvicted: end });
    this.#idleTimeoutMs = own.idleTimeoutMs;
    this.#clock = own.clock;
  }

  /**
   * The pool of this key and base URL. `options` count when it is made; later ones are ignored. A pool that was closed,
   * or whose key was refused, is replaced.
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxPools` pools are all in use.
   */
  getPool(apiKey: ApiKey, baseURL?: string, options?: OpenAIConnectionPoolOptions): OpenAIConnectionPool {
    const name = this.#nameOf(apiKey, baseURL);
    const known = this.#entries.get(name);
    if (known !== undefined && known.pool.getStats().state === 'open') {
      known.usedAtMs = this.#clock.now();
      return known.pool;
    }
    this.#entries.delete(name);
    const isFull = this.#entries.size >= this.#maxPools;
    if (isFull && [...this.#entries.values()].every((entry) => inUse(entry.pool))) {
      throw new QueueFullError('pool manager', 'maxPools', this.#maxPools);
    }
    const pool = bindMethods(new OpenAIConnectionPool(apiKey, baseURL, options));
    // Only now: wrong options end no other pool.
    if (isFull) this.#entries.evict((entry) => !inUse(entry.pool));
    this.#entries.set(name, { pool, usedAtMs: this.#clock.now(), acquired: 0 });
    this.#arm();
    return pool;
  }

  /** A frozen, JSON-safe snapshot of every pool, without keys. */
  getStats(): PoolManagerStats {
    return deepFreeze(Object.fromEntries([...this.#entries].map(([name, { pool }]) => [name, pool.getStats()])));
  }

  /** Closes every pool and forgets it. The manager stays usable. */
  async closeAll(): Promise<void> {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const pools = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(pools.map(({ pool }) => pool.close()));
  }

  #nameOf(apiKey: ApiKey, baseURL = DEFAULT_BASE_URL): string {
    const base = withoutTrailing(String(baseURL), '/');
    return crypto()
      .createHmac('sha256', this.#salt())
      .update(`${this.#keyName(apiKey)}\n${base}`)
      .digest('hex')
      .slice(0, 16);
  }

  /** A function is identified by itself, never by the key that it gives. */
  #keyName(apiKey: ApiKey): string {
    if (typeof apiKey === 'string') return apiKey;
    const known = this.#functions.get(apiKey);
    if (known !== undefined) return known;
    const name = crypto().randomBytes(16).toString('hex');
    this.#functions.set(apiKey, name);
    return name;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#entries.size === 0) return;
    this.#timer = setBackgroundTimeout(
      this.#clock,
      () => {
        this.#timer = undefined;
        this.#closeUnused();
        this.#arm();
      },
      this.#idleTimeoutMs / 2,
    );
  }

  #closeUnused(): void {
    const now = this.#clock.now();
    for (const [name, entry] of this.#entries) {
      const { acquired } = entry.pool.getStats();
      if (inUse(entry.pool) || acquired !== entry.acquired) entry.usedAtMs = now;
      entry.acquired = acquired;
      if (now - entry.usedAtMs < this.#idleTimeoutMs) continue;
      this.#entries.delete(name);
      end(entry);
    }
  }
}

const end = ({ pool }: Entry): void => void pool.destroy(new ClosedError('pool manager entry'));

function inUse(pool: OpenAIConnectionPool): boolean {
  const { borrowed, waiting, state } = pool.getStats();
  return state === 'open' && borrowed + waiting > 0;
}

type PoolVariables = OpenAIConnectionPoolOptions & { readonly baseURL?: string };

/** Takes base URL and bounds from the environment where the caller gives none. */
class ProcessPoolManager extends PoolManager {
  override getPool(apiKey: string, baseURL?: string, options: OpenAIConnectionPoolOptions = {}): OpenAIConnectionPool {
    const given = readEnvironment<PoolVariables>({ baseURL: baseUrlOption, ...POOL_SPEC });
    const isBounded = options.min !== undefined || options.max !== undefined;
    const bounds = isBounded ? {} : { min: given.min, max: given.max };
    return super.getPool(apiKey, baseURL ?? given.baseURL, { ...options, ...bounds });
  }
}

/**
 * The manager of the process, shared by every copy and entry point of this package. Its pools use `OPENAI_BASE_URL`,
 * `OPENAI_POOL_MIN_SIZE` and `OPENAI_POOL_MAX_SIZE` where the caller gives no value. A value that does not parse is
 * `DESCRIBE_CONFIG_INVALID`, which names the variable.
 */
export const poolManager: PoolManager = processSingleton('pool-manager', () => bindMethods(new ProcessPoolManager()));

import { LeaseError } from '../errors/index.ts';
import { forgetAbandoned, onAbandoned } from '../internal/async/abandoned.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { answerNow } from '../internal/async/user-callback.ts';
import { deepFreeze } from '../internal/deep-freeze.ts';
import { Emitter, type Listener, type Unsubscribe } from '../internal/emitter.ts';
import { callOptions } from '../internal/options/own-options.ts';
import { type DrainOptions, drainWait, wrongDrainOption } from './drain-wait.ts';
import { type Lease, SlotLease } from './lease.ts';
import type { AcquireOptions } from './options/acquire-options.ts';
import { type PoolSettings, poolSettings, type ResourcePoolOptions } from './options/resource-pool-options.ts';
import type { ResourcePoolEvents } from './reports/resource-pool-events.ts';
import { PoolCounters, type ResourcePoolStats } from './reports/resource-pool-stats.ts';
import { PoolUpkeep } from './slots/pool-upkeep.ts';
import type { Slot } from './slots/slot.ts';
import { SlotDispatcher } from './slots/slot-dispatcher.ts';
import { destroyLeftovers } from './slots/slot-keeper.ts';

/**
 * Lends resources that are expensive to create: at most `maxSize` at once, and each to one user at a time. Every
 * acquire settles, with a lease or an error. Nothing is created before the first use.
 *
 * @example
 * ```ts
 * import { ResourcePool } from '@describe-it/sdk';
 *
 * const pool = new ResourcePool({
 *   factory: {
 *     create: async () => ({ query: async (text: string) => text.length, end: async () => {} }),
 *     destroy: (connection) => connection.end(),
 *   },
 *   minSize: 2,
 *   maxSize: 10,
 * });
 * const length = await pool.use((connection) => connection.query('select 1'));
 * await pool.close();
 * ```
 */
export class ResourcePool<Resource> implements AsyncDisposable {
  readonly #settings: PoolSettings<Resource>;
  readonly #counters = new PoolCounters();
  readonly #events = new Emitter<ResourcePoolEvents>();
  readonly #slots: SlotDispatcher<Resource>;
  readonly #upkeep: PoolUpkeep<Resource>;
  #drained: Deferred<void> | undefined;
  #closing: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: ResourcePoolOptions<Resource>) {
    const settings = poolSettings(options);
    this.#settings = settings;
    this.#slots = new SlotDispatcher<Resource>(
      settings,
      this.#counters,
      this.#events,
      () => this.#onChanged(),
      (slot) => this.#upkeep.suspect(slot),
    );
    this.#upkeep = new PoolUpkeep(this.#slots, this.#counters, this.#events, settings);
    onAbandoned(this, destroyLeftovers(this.#slots.idle, settings.factory));
  }

  /**
   * Lends a resource until its lease is released.
   * @throws `DESCRIBE_POOL_TIMEOUT` when nothing became free in time, with the last create's failure as its cause.
   * @throws `DESCRIBE_POOL_CREATE_FAILED` when the resource made for this acquire could not be made.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxWaiting` others wait.
   * @throws `DESCRIBE_CLOSED` when the pool drains, is closed or gets destroyed.
   * @throws the signal's reason when it aborts.
   */
  async acquire(given?: AcquireOptions): Promise<Lease<Resource>> {
    const options = callOptions(given);
    if (!this.#slots.started) this.#upkeep.start();
    const slot = this.#slots.confirm(await this.#slots.take(options), options?.signal);
    return new SlotLease<Resource>(this.#slots, slot);
  }

  /**
   * Lends a resource to `fn` and settles as it does; the resource comes back on every path. It is destroyed only when
   * `isBroken` says so of the error of `fn`. When a resource is idle, `fn` runs before `use` returns.
   * @throws whatever `acquire` and `fn` throw.
   */
  use<Result>(
    fn: (resource: Resource) => Result | PromiseLike<Result>,
    given?: AcquireOptions,
  ): Promise<Awaited<Result>> {
    const options = callOptions(given);
    if (!this.#slots.started) this.#upkeep.start();
    const taken = this.#slots.take(options);
    if (taken instanceof Promise) return this.#useLater(taken, fn, options?.signal);
    let work: Result | PromiseLike<Result>;
    try {
      work = fn(taken.resource);
    } catch (error) {
      this.#giveBackAfter(taken, error);
      return Promise.reject(error);
    }
    return Promise.resolve(work).then(
      (result) => {
        this.#slots.giveBack(taken, undefined);
        return result;
      },
      (error: unknown) => {
        this.#giveBackAfter(taken, error);
        throw error;
      },
    );
  }

  /**
   * Gives a lease of this pool back, as `lease.release()` does.
   * @throws `DESCRIBE_LEASE_INVALID` for anything that this pool has not lent now.
   */
  release(lease: Lease<Resource>): void {
    if (!(lease instanceof SlotLease) || !lease.isFrom(this.#slots)) {
      throw new LeaseError(`this is not a lease of this ${this.#settings.name}`);
    }
    lease.release();
  }

  /**
   * Makes resources until `minSize` exist.
   * @throws `DESCRIBE_POOL_CREATE_FAILED` when one can't be made; the pool keeps trying in the background.
   * @throws `DESCRIBE_CLOSED` when the pool is closed.
   */
  async warmUp(): Promise<void> {
    this.#upkeep.start();
    await this.#slots.warm();
  }

  /**
   * Validates every idle resource now, all at once, and replaces those that fail. Resolves with the number of checked
   * resources, running checks included, and the number that failed.
   */
  checkIdle(): Promise<{ readonly checked: number; readonly failed: number }> {
    return this.#upkeep.checkAllIdle();
  }

  /** Calls `listener` on every later event of that name. */
  on<Name extends keyof ResourcePoolEvents>(name: Name, listener: Listener<ResourcePoolEvents[Name]>): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /** Resources that exist, are being created or are being destroyed: `size` of the stats. */
  get size(): number {
    return this.#slots.keeper.size;
  }

  /** A frozen, JSON-safe snapshot. */
  getStats(): ResourcePoolStats {
    const { keeper, idle, borrowed, waiting, checks, state } = this.#slots;
    const { minSize, maxSize } = this.#settings;
    const { created, retired, ...counts } = this.#counters;
    return deepFreeze({
      state,
      size: keeper.size,
      minSize,
      maxSize,
      idle: idle.length,
      borrowed,
      checking: checks.running,
      creating: keeper.creating,
      destroying: keeper.destroying,
      waiting: waiting.size,
      ...counts,
      created: { ...created },
      retired: { ...retired },
    });
  }

  /**
   * Refuses new acquires, serves waiting ones, and resolves when every loan came back. The resources stay until
   * `close()`.
   * @throws `DESCRIBE_TIMEOUT` when loans are still out after `timeoutMs`; the pool stays draining.
   * @throws `DESCRIBE_INPUT_INVALID` when `timeoutMs` is not a number of at least 0.
   * @throws the signal's reason when it aborts.
   */
  drain(given: DrainOptions = {}): Promise<void> {
    const options = callOptions(given);
    const wrong = wrongDrainOption(options);
    if (wrong !== undefined) return Promise.reject(wrong);
    if (this.#slots.state === 'open') this.#slots.state = 'draining';
    this.#drained ??= new Deferred<void>();
    const { promise } = this.#drained;
    this.#onChanged();
    return drainWait(this.#settings.name, promise, options, this.#settings.clock);
  }

  /**
   * Drains, then destroys every resource. Loans that are not back after `timeoutMs` are taken back by force. Resolves
   * when all are gone. Idempotent.
   * @throws `DESCRIBE_INPUT_INVALID` when `timeoutMs` is not a number of at least 0, and nothing else.
   */
  close(given: DrainOptions = {}): Promise<void> {
    const options = callOptions(given);
    const wrong = wrongDrainOption(options);
    if (wrong !== undefined) return Promise.reject(wrong);
    this.#closing ??= this.drain(options)
      .catch(() => {})
      .then(() => this.destroy());
    return this.#closing;
  }

  /**
   * Rejects waiting and later callers, and destroys all resources at once, leased ones too. The error is `reason` if
   * that is a `DescribeError`, else `DESCRIBE_CLOSED` with `reason` as its cause. Resolves when all are destroyed, and
   * never rejects. Idempotent.
   */
  destroy(reason?: unknown): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #useLater<Result>(
    taken: Promise<Slot<Resource>>,
    fn: (resource: Resource) => Result | PromiseLike<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Awaited<Result>> {
    const slot = this.#slots.confirm(await taken, signal);
    let result: Awaited<Result>;
    try {
      result = await fn(slot.resource);
    } catch (error) {
      this.#giveBackAfter(slot, error);
      throw error;
    }
    this.#slots.giveBack(slot, undefined);
    return result;
  }

  #giveBackAfter(slot: Slot<Resource>, error: unknown): void {
    this.#slots.giveBack(slot, this.#breaks(error, slot.resource) ? 'broken' : undefined);
  }

  #breaks(error: unknown, resource: Resource): boolean {
    const { isBroken } = this.#settings;
    if (isBroken === undefined) return false;
    // Without an answer the resource may be broken.
    return answerNow((failure: unknown) => isBroken(failure, resource), error, true);
  }

  async #end(reason: unknown): Promise<void> {
    forgetAbandoned(this);
    this.#upkeep.stop();
    this.#slots.end(reason);
    this.#onChanged();
    await this.#slots.keeper.close();
    this.#events.emit('closed', reason === undefined ? {} : { reason });
  }

  #onChanged(): void {
    const { state, waiting, borrowed } = this.#slots;
    if (state !== 'open' && waiting.size === 0 && borrowed === 0) this.#drained?.resolve();
  }
}

import { TimeoutError } from '../../errors/index.ts';
import { weakly } from '../../internal/async/abandoned.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { onAbort, withTimeout } from '../../internal/async/signals.ts';
import { callSafely } from '../../internal/async/user-callback.ts';
import { decorrelatedJitterDelay } from '../../internal/backoff.ts';
import { causeWords } from '../../internal/upstream/cause-words.ts';
import type { CreateContext, ResourceFactory } from '../options/resource-factory.ts';
import type { PoolSettings } from '../options/resource-pool-options.ts';
import type { PermitShare } from '../options/slot-permits.ts';
import type { CreateFailure, Slot } from './slot.ts';
import { SlotEngine } from './slot-engine.ts';

/** The reports of a keeper to its owner. */
export interface SlotKeeperOwner<Resource> {
  /** A slot is made and ready to be offered. */
  opened(slot: Slot<Resource>): void;
  /** A slot could not be made. Nothing may be made before `retryInMs`. */
  failed(slot: Slot<Resource>, failure: CreateFailure, failures: number, retryInMs: number): void;
  /** A retired slot is destroyed, so that another may be made. */
  freed(): void;
  destroyFailed(error: unknown): void;
  /** A resource says that it may have died. */
  suspected(slot: Slot<Resource>): void;
}

/** Share of a lifetime by which slots differ, so that a pool filled at once is not replaced at once. */
const LIFETIME_JITTER_RATIO = 0.1;

/** Makes and destroys slots within their timeouts, and never more than `maxSize` at a moment. Each holds a permit. */
export class SlotKeeper<Resource> {
  readonly #settings: PoolSettings<Resource>;
  readonly #owner: SlotKeeperOwner<Resource>;
  readonly #engine: SlotEngine<Slot<Resource>>;
  readonly #live = new Set<Slot<Resource>>();
  readonly #destroying = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** The permits of this pool; undefined where it shares none. */
  permits: PermitShare | undefined;
  /** Slots being made; only this class writes it. */
  creating = 0;
  #failures = 0;
  /** Why the last slot could not be made; undefined after a success. */
  lastFailure: CreateFailure | undefined;
  #lastDelayMs: number;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(settings: PoolSettings<Resource>, owner: SlotKeeperOwner<Resource>) {
    this.#settings = settings;
    this.#owner = owner;
    this.#lastDelayMs = settings.createBackoff.initialDelayMs;
    this.#engine = new SlotEngine<Slot<Resource>>(settings.maxSize, {
      make: (slot) => this.#make(slot),
      unmake: (slot) => this.#unmake(slot),
    });
  }

  /** Slots that were made and not retired. */
  get live(): ReadonlySet<Slot<Resource>> {
    return this.#live;
  }

  get destroying(): number {
    return this.#destroying.size;
  }

  /** Slots made, being made or being destroyed. */
  get size(): number {
    return this.#live.size + this.creating + this.#destroying.size;
  }

  /** Milliseconds until a slot may be made after failures. */
  get backoffMs(): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#notBeforeMs - this.#settings.clock.now());
  }

  /** Whether a slot may be made now. After a failure only one at a time is tried. */
  canOpen(): boolean {
    if (this.#stop.signal.aborted || this.size >= this.#settings.maxSize) return false;
    return this.#failures === 0 || (this.creating === 0 && this.backoffMs === 0);
  }

  /** Takes a permit for one more slot, where the pool needs one. */
  takePermit(): boolean {
    return this.permits === undefined || this.permits.take();
  }

  /** Starts to make a slot; ends in `opened` or `failed`. */
  open(slot: Slot<Resource>): void {
    this.creating += 1;
    void this.#engine.open(slot).then((ready) => {
      this.creating -= 1;
      if (ready !== undefined) this.#settle(ready);
      else this.permits?.give();
    });
  }

  /** Removes a slot and destroys it. */
  retire(slot: Slot<Resource>): void {
    slot.state = 'retired';
    this.#live.delete(slot);
    this.#engine.discard(slot);
  }

  /** Aborts running creates, and creates nothing afterwards. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** Resolves when every retired slot is destroyed or its timeout is over. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#engine.close();
    while (this.#destroying.size > 0) await Promise.all(this.#destroying);
  }

  #settle(slot: Slot<Resource>): void {
    const { clock, createBackoff } = this.#settings;
    if (slot.failure !== undefined) {
      this.#engine.discard(slot);
      this.permits?.give();
      this.#failures += 1;
      this.lastFailure = slot.failure;
      this.#lastDelayMs = decorrelatedJitterDelay(this.#lastDelayMs, createBackoff);
      this.#notBeforeMs = clock.now() + this.#lastDelayMs;
      this.#owner.failed(slot, slot.failure, this.#failures, this.#lastDelayMs);
      return;
    }
    this.#failures = 0;
    this.lastFailure = undefined;
    this.#lastDelayMs = createBackoff.initialDelayMs;
    this.#live.add(slot);
    this.#owner.opened(slot);
  }

  async #make(slot: Slot<Resource>): Promise<void> {
    const { clock, maxLifetimeMs } = this.#settings;
    try {
      slot.resource = await this.#create(slot);
      slot.createdAtMs = clock.now();
      slot.idleSinceMs = slot.createdAtMs;
      slot.checkedAtMs = slot.createdAtMs;
      if (maxLifetimeMs !== undefined) {
        slot.expiresAtMs = slot.createdAtMs + maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER_RATIO);
      }
    } catch (cause) {
      const words = causeWords(cause);
      slot.failure = { cause, said: `factory.create failed${words === undefined ? '' : `: ${words}`}` };
      slot.state = 'retired';
    }
  }

  /** Runs `factory.create` within its timeout; a resource that arrives later is destroyed. */
  #create(slot: Slot<Resource>): Promise<Resource> {
    const { clock, createTimeoutMs, name } = this.#settings;
    const abort = new AbortController();
    return new Promise<Resource>((resolve, reject) => {
      let open = true;
      const end = () => {
        open = false;
        clock.clearTimeout(timer);
        detach();
      };
      const giveUp = (reason: unknown) => {
        if (!open) return;
        end();
        reject(reason);
        abort.abort(reason);
      };
      const timer = clock.setTimeout(() => {
        giveUp(new TimeoutError(`factory.create of ${name}`, createTimeoutMs));
      }, createTimeoutMs);
      const detach = onAbort(this.#stop.signal, (reason) => queueMicrotask(() => giveUp(reason)));
      this.#call({ signal: abort.signal, suspect: SlotKeeper.#suspectOf(this, slot) }).then(
        (resource) => {
          if (!open) {
            void this.#destroy(resource);
            return;
          }
          end();
          resolve(resource);
        },
        (error: unknown) => giveUp(error),
      );
    });
  }

  /** Static, because the resource holds it, and its socket may outlive a pool that was never closed. */
  static #suspectOf<Resource>(keeper: SlotKeeper<Resource>, slot: Slot<Resource>): () => void {
    const reference = new WeakRef(slot);
    return weakly(keeper, (alive) => {
      const suspect = reference.deref();
      if (suspect !== undefined) alive.#owner.suspected(suspect);
    });
  }

  async #call(context: CreateContext): Promise<Resource> {
    const resource = await this.#settings.factory.create(context);
    if (resource === undefined || resource === null) {
      throw new TypeError(`factory.create of ${this.#settings.name} resolved to ${String(resource)}`);
    }
    return resource;
  }

  #unmake(slot: Slot<Resource>): Promise<void> {
    if (slot.failure !== undefined) return Promise.resolve();
    const destroyed = new Deferred<void>();
    const { promise } = destroyed;
    // Added before the factory runs, because it may call the pool, and the slot still counts.
    this.#destroying.add(promise);
    void this.#destroy(slot.resource).then(() => {
      this.#destroying.delete(promise);
      this.permits?.give();
      this.#owner.freed();
      destroyed.resolve();
    });
    return promise;
  }

  async #destroy(resource: Resource): Promise<void> {
    const { factory, clock, destroyTimeoutMs, name } = this.#settings;
    const late = () => new TimeoutError(`factory.destroy of ${name}`, destroyTimeoutMs);
    try {
      await withTimeout(Promise.resolve(factory.destroy(resource)), destroyTimeoutMs, late, clock);
    } catch (error) {
      this.#owner.destroyFailed(error);
    }
  }
}

/**
 * Destroys the idle resources of a pool that was garbage-collected without being closed. A lent one belongs to its
 * borrower.
 */
export const destroyLeftovers =
  <Resource>(idle: readonly Slot<Resource>[], factory: ResourceFactory<Resource>) =>
  () => {
    for (const { resource } of idle) callSafely((leftover: Resource) => factory.destroy(leftover), resource);
  };

import { TimeoutError } from '../../errors/index.ts';
import { weakly } from '../../internal/async/abandoned.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { onAbort, withTimeout } from '../../internal/async/signals.ts';
import { callSafely } from '../../internal/async/user-callback.ts';
import { type BackoffOptions, decorrelatedJitterDelay } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import type { CreateContext, ResourceFactory } from '../resource-factory.ts';
import { type CreateFailure, createFailure } from './create-failure.ts';
import type { Slot } from './slot.ts';
import { SlotEngine } from './slot-engine.ts';

export interface SlotKeeperOptions<Resource> {
  readonly factory: ResourceFactory<Resource>;
  readonly maxSize: number;
  readonly createTimeoutMs: number;
  readonly destroyTimeoutMs: number;
  readonly maxLifetimeMs: number | undefined;
  readonly createBackoff: BackoffOptions;
  readonly name: string;
  readonly clock: Clock;
  /** A slot is made and ready to be offered. */
  readonly opened: (slot: Slot<Resource>) => void;
  /** A slot could not be made. Nothing may be made before `retryInMs`. */
  readonly failed: (slot: Slot<Resource>, failure: CreateFailure, failures: number, retryInMs: number) => void;
  /** A place became free. */
  readonly freed: () => void;
  readonly destroyFailed: (error: unknown) => void;
  /** A resource says that it may have died. */
  readonly suspected: (slot: Slot<Resource>) => void;
}

/** Share of a lifetime by which slots differ, so that a pool filled at once is not replaced at once. */
const LIFETIME_JITTER_RATIO = 0.1;

/** Makes and destroys slots within their time boxes, and never more than `maxSize` at a moment. */
export class SlotKeeper<Resource> {
  readonly #options: SlotKeeperOptions<Resource>;
  readonly #engine: SlotEngine<Slot<Resource>>;
  readonly #live = new Set<Slot<Resource>>();
  readonly #destroying = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #creating = 0;
  #failures = 0;
  #lastFailure: CreateFailure | undefined;
  #lastDelayMs: number;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: SlotKeeperOptions<Resource>) {
    this.#options = options;
    this.#lastDelayMs = options.createBackoff.initialDelayMs;
    this.#engine = new SlotEngine<Slot<Resource>>(options.maxSize, {
      make: (slot) => this.#make(slot),
      unmake: (slot) => this.#unmake(slot),
    });
  }

  /** Slots that were made and not retired. */
  get live(): ReadonlySet<Slot<Resource>> {
    return this.#live;
  }

  get creating(): number {
    return this.#creating;
  }

  get destroying(): number {
    return this.#destroying.size;
  }

  /** Places taken: made, being made, being destroyed. */
  get size(): number {
    return this.#live.size + this.#creating + this.#destroying.size;
  }

  /** What the last create failed with; undefined after a success. */
  get lastFailure(): CreateFailure | undefined {
    return this.#lastFailure;
  }

  /** Milliseconds until a slot may be made after failures. */
  get backoffMs(): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#notBeforeMs - this.#options.clock.now());
  }

  /** Whether a slot may be made now. After a failure only one at a time is tried. */
  canOpen(): boolean {
    if (this.#stop.signal.aborted || this.size >= this.#options.maxSize) return false;
    return this.#failures === 0 || (this.#creating === 0 && this.backoffMs === 0);
  }

  /** Starts making a slot; `opened` or `failed` tells of it later. */
  open(slot: Slot<Resource>): void {
    this.#creating += 1;
    void this.#engine.open(slot).then((ready) => {
      this.#creating -= 1;
      if (ready !== undefined) this.#settle(ready);
    });
  }

  /** Takes a slot out and destroys it. */
  retire(slot: Slot<Resource>): void {
    slot.state = 'retired';
    this.#live.delete(slot);
    this.#engine.discard(slot);
  }

  /** Stops what is being made; nothing is made afterwards. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** Resolves when every retired slot is destroyed or out of time. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#engine.close();
    while (this.#destroying.size > 0) await Promise.all(this.#destroying);
  }

  #settle(slot: Slot<Resource>): void {
    const { clock, createBackoff, opened, failed } = this.#options;
    if (slot.failure !== undefined) {
      this.#engine.discard(slot);
      this.#failures += 1;
      this.#lastFailure = slot.failure;
      this.#lastDelayMs = decorrelatedJitterDelay(this.#lastDelayMs, createBackoff);
      this.#notBeforeMs = clock.now() + this.#lastDelayMs;
      failed(slot, slot.failure, this.#failures, this.#lastDelayMs);
      return;
    }
    this.#failures = 0;
    this.#lastFailure = undefined;
    this.#lastDelayMs = createBackoff.initialDelayMs;
    this.#live.add(slot);
    opened(slot);
  }

  async #make(slot: Slot<Resource>): Promise<void> {
    const { clock, maxLifetimeMs } = this.#options;
    try {
      slot.resource = await this.#create(slot);
      slot.createdAtMs = clock.now();
      slot.idleSinceMs = slot.createdAtMs;
      slot.checkedAtMs = slot.createdAtMs;
      if (maxLifetimeMs !== undefined) {
        slot.expiresAtMs = slot.createdAtMs + maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER_RATIO);
      }
    } catch (error) {
      slot.failure = createFailure(error);
      slot.state = 'retired';
    }
  }

  /** Runs `factory.create` in its time box; a resource that arrives after it is destroyed. */
  #create(slot: Slot<Resource>): Promise<Resource> {
    const { clock, createTimeoutMs, name } = this.#options;
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

  /** Held by the resource, whose socket may outlive a pool that nobody closed. */
  static #suspectOf<Resource>(keeper: SlotKeeper<Resource>, slot: Slot<Resource>): () => void {
    const place = new WeakRef(slot);
    return weakly(keeper, (alive) => {
      const suspect = place.deref();
      if (suspect !== undefined) alive.#options.suspected(suspect);
    });
  }

  async #call(context: CreateContext): Promise<Resource> {
    const resource = await this.#options.factory.create(context);
    if (resource === undefined || resource === null) {
      throw new TypeError(`factory.create of ${this.#options.name} resolved ${String(resource)}`);
    }
    return resource;
  }

  #unmake(slot: Slot<Resource>): Promise<void> {
    if (slot.failure !== undefined) return Promise.resolve();
    const destroyed = new Deferred<void>();
    const { promise } = destroyed;
    // Before the factory runs: it may call the pool, and this place is not free yet.
    this.#destroying.add(promise);
    void this.#destroy(slot.resource).then(() => {
      this.#destroying.delete(promise);
      this.#options.freed();
      destroyed.resolve();
    });
    return promise;
  }

  async #destroy(resource: Resource): Promise<void> {
    const { factory, clock, destroyTimeoutMs, name, destroyFailed } = this.#options;
    try {
      const work = Promise.resolve(factory.destroy(resource));
      await withTimeout(
        work,
        destroyTimeoutMs,
        () => new TimeoutError(`factory.destroy of ${name}`, destroyTimeoutMs),
        clock,
      );
    } catch (error) {
      destroyFailed(error);
    }
  }
}

/** Destroys the idle resources of a pool that was collected unclosed; what is on loan is still its borrower's. */
export const destroyLeftovers =
  <Resource>(idle: readonly Slot<Resource>[], factory: ResourceFactory<Resource>) =>
  () => {
    for (const { resource } of idle) callSafely((leftover: Resource) => factory.destroy(leftover), resource);
  };

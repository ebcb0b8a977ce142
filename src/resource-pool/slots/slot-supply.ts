import { PoolCreateError } from '../../errors/index.ts';
import { weakly } from '../../internal/async/abandoned.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import type { Emitter } from '../../internal/emitter.ts';
import type { PoolSettings } from '../options/resource-pool-options.ts';
import type { ResourcePoolEvents } from '../reports/resource-pool-events.ts';
import type { PoolCounters } from '../reports/resource-pool-stats.ts';
import { type CreateFailure, Slot } from './slot.ts';
import type { SlotChecks } from './slot-checks.ts';
import { SlotKeeper, type SlotKeeperOwner } from './slot-keeper.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** The dispatcher, as its supply needs it. */
export interface SlotSupplyOwner<Resource> {
  readonly waiting: WaitingQueue<Slot<Resource>>;
  readonly checks: SlotChecks<Resource>;
  /** Gives a new slot to the first waiter, or keeps it. */
  offer(slot: Slot<Resource>, fresh: boolean): void;
  /** A slot may be dead. */
  suspect(slot: Slot<Resource>): void;
  /** Something changed: serves the waiters that can be served, then asks for more. */
  pump(): void;
}

/** Decides when slots are made: for waiters, and for `minSize`. Backs off from creates that fail. */
export class SlotSupply<Resource> implements SlotKeeperOwner<Resource> {
  readonly keeper: SlotKeeper<Resource>;
  readonly #settings: PoolSettings<Resource>;
  readonly #owner: SlotSupplyOwner<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  readonly #warmUps = new Set<Deferred<void>>();
  /** Whether the last checked slot was dead: its replacement may be too. */
  replacesDead = false;
  #backoffTimer: TimerHandle | undefined;
  #stopped = false;

  constructor(
    settings: PoolSettings<Resource>,
    owner: SlotSupplyOwner<Resource>,
    counters: PoolCounters,
    events: Emitter<ResourcePoolEvents>,
  ) {
    this.#settings = settings;
    this.#owner = owner;
    this.#counters = counters;
    this.#events = events;
    this.keeper = new SlotKeeper<Resource>(settings, this);
  }

  /**
   * Waiters that no running create or check will serve. A slot counts only for the waiter that it is made for. When
   * that waiter was served otherwise, the slot counts for nobody, because it may hang.
   */
  get unserved(): number {
    const { waiting, checks } = this.#owner;
    return waiting.size - waiting.claimed - checks.forAcquires;
  }

  /** Makes a slot for every unserved waiter. */
  grow(): void {
    while (this.unserved > 0 && this.keeper.canOpen() && this.keeper.takePermit()) {
      this.keeper.open(new Slot<Resource>('waiting', this.#owner.waiting.claim()));
    }
    if (this.unserved > 0) this.#armBackoff();
  }

  /** Makes the slots that `minSize` lacks. */
  fill(): void {
    while (this.keeper.size < this.#settings.minSize && this.keeper.canOpen()) {
      this.keeper.open(new Slot<Resource>('min-size'));
    }
    if (this.keeper.size < this.#settings.minSize) this.#armBackoff();
  }

  /** Fills. Resolves when `minSize` slots are made; rejects with the first failure. */
  async warm(): Promise<void> {
    this.fill();
    if (this.keeper.live.size >= this.#settings.minSize) return;
    const warmUp = new Deferred<void>();
    this.#warmUps.add(warmUp);
    await warmUp.promise;
  }

  /** Creates nothing more, aborts running creates and rejects every warm-up. */
  stop(reason: unknown, makeError: () => unknown): void {
    this.#stopped = true;
    if (this.#backoffTimer !== undefined) this.#settings.clock.clearTimeout(this.#backoffTimer);
    this.#backoffTimer = undefined;
    this.keeper.stop(reason);
    this.#settleWarmUps((warmUp) => warmUp.reject(makeError()));
  }

  opened(slot: Slot<Resource>): void {
    const { waiting } = this.#owner;
    const { size } = this.keeper.live;
    this.#counters.created[slot.reason] += 1;
    this.#events.emit('created', { reason: slot.reason, size, waiting: waiting.size });
    if (size >= this.#settings.minSize) this.#settleWarmUps((warmUp) => warmUp.resolve());
    // The slot goes to the first waiter. If that is another one, the waiter that it was made for needs a slot again.
    if (slot.madeFor !== undefined) waiting.unclaim(slot.madeFor);
    slot.madeFor = undefined;
    this.#owner.offer(slot, true);
    if (this.replacesDead) this.#owner.suspect(slot);
    // After a failure slots are made one at a time. This success allows more.
    this.#owner.pump();
  }

  failed(slot: Slot<Resource>, { cause, said }: CreateFailure, failures: number, retryInMs: number): void {
    this.#counters.createFailed += 1;
    const makeError = () => new PoolCreateError(this.#settings.name, said, { cause });
    const waiter = slot.madeFor;
    if (waiter !== undefined && this.#owner.waiting.remove(waiter)) waiter.reject(makeError());
    this.#settleWarmUps((warmUp) => warmUp.reject(makeError()));
    this.#events.emit('createFailed', { error: cause, failures, retryInMs });
    this.#owner.pump();
  }

  freed(): void {
    this.#owner.pump();
  }

  destroyFailed(error: unknown): void {
    this.#events.emit('destroyFailed', { error });
  }

  suspected(slot: Slot<Resource>): void {
    this.#owner.suspect(slot);
  }

  #settleWarmUps(settle: (warmUp: Deferred<void>) => void): void {
    for (const warmUp of this.#warmUps) settle(warmUp);
    this.#warmUps.clear();
  }

  #armBackoff(): void {
    const delayMs = this.keeper.backoffMs;
    if (delayMs === 0 || this.#backoffTimer !== undefined || this.#stopped) return;
    this.#backoffTimer = setBackgroundTimeout(this.#settings.clock, weakly(this, SlotSupply.#endBackoff), delayMs);
  }

  static #endBackoff<Resource>(this: void, supply: SlotSupply<Resource>): void {
    supply.#backoffTimer = undefined;
    supply.#owner.pump();
  }
}

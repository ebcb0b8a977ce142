import { PoolCreateError } from '../../errors/index.ts';
import { weakly } from '../../internal/async/abandoned.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import type { Emitter } from '../../internal/emitter.ts';
import type { ResourcePoolEvents } from '../resource-pool-events.ts';
import type { PoolCounters } from '../resource-pool-stats.ts';
import type { CreateFailure } from './create-failure.ts';
import { Slot } from './slot.ts';
import { SlotKeeper, type SlotKeeperOptions } from './slot-keeper.ts';
import type { WaitingLine } from './waiting-queue.ts';

export interface SlotSupplyOptions<Resource>
  extends Omit<SlotKeeperOptions<Resource>, 'opened' | 'failed' | 'freed' | 'destroyFailed' | 'suspected'> {
  readonly minSize: number;
}

/** What the supply asks of and tells its owner. */
export interface SlotSupplyOwner<Resource> {
  readonly line: WaitingLine<Slot<Resource>>;
  /** Waiters that a validation under way is going to serve. */
  beingChecked(): number;
  /** Gives a new slot to who waits, or keeps it. */
  offer(slot: Slot<Resource>): void;
  /** A slot may be dead. */
  suspect(slot: Slot<Resource>): void;
  /** Something changed: serve who can be served, then ask for more. */
  pump(): void;
}

/** Decides when slots are made: for those who wait, and for `minSize`. Paces creates that fail. */
export class SlotSupply<Resource> {
  readonly keeper: SlotKeeper<Resource>;
  readonly #options: SlotSupplyOptions<Resource>;
  readonly #owner: SlotSupplyOwner<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  readonly #warmers = new Set<Deferred<void>>();
  /** Whether the last slot that was looked at was dead: what replaces it may be too. */
  replacesDead = false;
  #backoffTimer: TimerHandle | undefined;
  #stopped = false;

  constructor(
    options: SlotSupplyOptions<Resource>,
    owner: SlotSupplyOwner<Resource>,
    counters: PoolCounters,
    events: Emitter<ResourcePoolEvents>,
  ) {
    this.#options = options;
    this.#owner = owner;
    this.#counters = counters;
    this.#events = events;
    this.keeper = new SlotKeeper<Resource>({
      ...options,
      opened: (slot) => this.#onOpened(slot),
      failed: (slot, failure, failures, retryInMs) => this.#onFailed(slot, failure, failures, retryInMs),
      freed: () => owner.pump(),
      destroyFailed: (error) => events.emit('destroyFailed', { error }),
      suspected: (slot) => owner.suspect(slot),
    });
  }

  /**
   * Waiters that nothing under way is going to serve. A slot counts for the one it is made for alone: when that one
   * was served otherwise it counts for nobody, since it may hang.
   */
  get unserved(): number {
    const { line } = this.#owner;
    return line.size - line.claimed - this.#owner.beingChecked();
  }

  /** Makes a slot for everybody whom nothing else will serve. */
  grow(): void {
    while (this.unserved > 0 && this.keeper.canOpen()) {
      this.keeper.open(new Slot<Resource>('waiting', this.#owner.line.claim()));
    }
    if (this.unserved > 0) this.#armBackoff();
  }

  /** Makes what `minSize` lacks. */
  fill(): void {
    while (this.keeper.size < this.#options.minSize && this.keeper.canOpen()) {
      this.keeper.open(new Slot<Resource>('min-size'));
    }
    if (this.keeper.size < this.#options.minSize) this.#armBackoff();
  }

  /** Fills, and settles when `minSize` slots are made, or with what kept one from being made. */
  async warm(): Promise<void> {
    this.fill();
    if (this.keeper.live.size >= this.#options.minSize) return;
    const warmer = new Deferred<void>();
    this.#warmers.add(warmer);
    await warmer.promise;
  }

  /** Makes nothing more, gives up what is being made and fails who warms up. */
  stop(reason: unknown, makeError: () => unknown): void {
    this.#stopped = true;
    if (this.#backoffTimer !== undefined) this.#options.clock.clearTimeout(this.#backoffTimer);
    this.#backoffTimer = undefined;
    this.keeper.stop(reason);
    this.#settleWarmers((warmer) => warmer.reject(makeError()));
  }

  #onOpened(slot: Slot<Resource>): void {
    this.#counters.created[slot.reason] += 1;
    const { size } = this.keeper.live;
    this.#events.emit('created', { reason: slot.reason, size, waiting: this.#owner.line.size });
    if (size >= this.#options.minSize) this.#settleWarmers((warmer) => warmer.resolve());
    // It goes to who is first in line. If that is another one, this waiter needs a slot again.
    if (slot.madeFor !== undefined) this.#owner.line.unclaim(slot.madeFor);
    slot.madeFor = undefined;
    this.#owner.offer(slot);
    if (this.replacesDead) this.#owner.suspect(slot);
    // After a failure slots are made one at a time; this success lets the others follow.
    this.#owner.pump();
  }

  #onFailed(slot: Slot<Resource>, { cause, said }: CreateFailure, failures: number, retryInMs: number): void {
    this.#counters.createFailed += 1;
    const makeError = () => new PoolCreateError(this.#options.name, said, { cause });
    const waiter = slot.madeFor;
    if (waiter !== undefined && this.#owner.line.remove(waiter)) waiter.reject(makeError());
    this.#settleWarmers((warmer) => warmer.reject(makeError()));
    this.#events.emit('createFailed', { error: cause, failures, retryInMs });
    this.#owner.pump();
  }

  #settleWarmers(settle: (warmer: Deferred<void>) => void): void {
    for (const warmer of this.#warmers) settle(warmer);
    this.#warmers.clear();
  }

  #armBackoff(): void {
    const delayMs = this.keeper.backoffMs;
    if (delayMs === 0 || this.#backoffTimer !== undefined || this.#stopped) return;
    this.#backoffTimer = setBackgroundTimeout(this.#options.clock, weakly(this, SlotSupply.#endBackoff), delayMs);
  }

  static #endBackoff<Resource>(this: void, supply: SlotSupply<Resource>): void {
    supply.#backoffTimer = undefined;
    supply.#owner.pump();
  }
}

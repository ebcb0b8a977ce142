import { ClosedError, DescribeError, PoolTimeoutError, QueueFullError } from '../../errors/index.ts';
import type { Clock } from '../../internal/clock.ts';
import type { Emitter } from '../../internal/emitter.ts';
import { type AcquireOptions, wrongAcquireOption } from '../acquire-options.ts';
import type { ResourcePoolEvents } from '../resource-pool-events.ts';
import type { PoolCounters, ResourcePoolState } from '../resource-pool-stats.ts';
import { type RetireReason, type Slot, wornOut } from './slot.ts';
import { SlotChecks } from './slot-checks.ts';
import type { SlotKeeper } from './slot-keeper.ts';
import { SlotSupply, type SlotSupplyOptions } from './slot-supply.ts';
import { type Waiter, WaitingLine } from './waiting-queue.ts';

export interface SlotDispatcherOptions<Resource> extends SlotSupplyOptions<Resource> {
  readonly acquireTimeoutMs: number;
  readonly validateTimeoutMs: number;
  readonly resetTimeoutMs: number;
  readonly maxUsageCount: number | undefined;
  readonly maxWaiting: number;
  readonly trackLoans: boolean;
  readonly clock: Clock;
}

const NO_OPTIONS: AcquireOptions = Object.freeze({});

/** Brings slots and acquirers together: idle stack, waiting line, supply. Its owner decides when to shrink and end. */
export class SlotDispatcher<Resource> {
  readonly supply: SlotSupply<Resource>;
  readonly line: WaitingLine<Slot<Resource>>;
  /** The stack of idle slots: the last one in is lent first, so that the others can grow old and go. */
  readonly idle: Slot<Resource>[] = [];
  readonly checks: SlotChecks<Resource>;
  readonly #options: SlotDispatcherOptions<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  /** Told after anything that may have ended a drain. */
  readonly #changed: () => void;
  readonly #validates: boolean;
  #endReason: unknown;
  state: ResourcePoolState = 'open';
  /** Whether the pool was used: only then `minSize` is kept. */
  started = false;
  /** On loan, or being cleaned after a loan. */
  borrowed = 0;

  constructor(
    options: SlotDispatcherOptions<Resource>,
    counters: PoolCounters,
    events: Emitter<ResourcePoolEvents>,
    changed: () => void,
    suspected: (slot: Slot<Resource>) => void,
  ) {
    this.#options = options;
    this.#counters = counters;
    this.#events = events;
    this.#changed = changed;
    this.#validates = options.factory.validate !== undefined;
    this.checks = new SlotChecks(options);
    this.line = new WaitingLine({
      clock: options.clock,
      timeoutMs: options.acquireTimeoutMs,
      timedOut: (waiter) => new PoolTimeoutError(options.name, waiter.timeoutMs, this.keeper.lastFailure),
      left: (waiter, why) => this.#onLeft(waiter, why),
    });
    this.supply = new SlotSupply<Resource>(
      options,
      {
        line: this.line,
        beingChecked: () => this.checks.forBorrowers,
        offer: (slot) => this.offer(slot, true),
        suspect: suspected,
        pump: () => this.pump(),
      },
      counters,
      events,
    );
  }

  get keeper(): SlotKeeper<Resource> {
    return this.supply.keeper;
  }

  /** Settles once `minSize` slots are made, or with what kept one from being made. */
  async warm(): Promise<void> {
    if (this.state !== 'open') throw this.#closedError();
    this.started = true;
    await this.supply.warm();
  }

  /** Lends an idle slot at once, or promises the next one. */
  take(options: AcquireOptions = NO_OPTIONS): Slot<Resource> | Promise<Slot<Resource>> {
    if (this.state !== 'open') return Promise.reject(this.#closedError());
    const { signal, priority = 0, timeoutMs = this.#options.acquireTimeoutMs } = options;
    const wrong = options === NO_OPTIONS ? undefined : wrongAcquireOption(options);
    if (wrong !== undefined) return Promise.reject(wrong);
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.started = true;
    // Here, where the caller is still on the stack.
    const acquiredBy = this.#options.trackLoans ? new Error('acquired here') : undefined;
    const slot = this.#popUsable();
    if (slot !== undefined) return this.#lend(slot, acquiredBy);
    // What was looked at ran hooks and listeners: they may have ended the pool.
    if (this.state !== 'open') return Promise.reject(this.#closedError());
    if (this.supply.unserved >= this.#options.maxWaiting && !this.keeper.canOpen()) {
      this.#counters.refused += 1;
      return Promise.reject(new QueueFullError(this.#options.name, 'maxWaiting', this.#options.maxWaiting));
    }
    return this.line.join(priority, timeoutMs, signal, (waiter) => {
      waiter.joinedAt = acquiredBy;
      this.supply.grow();
    });
  }

  /**
   * Looks once more at a slot that was handed over a moment ago: before its new user ran, the user may have lost
   * interest, or the pool have been destroyed.
   */
  confirm(slot: Slot<Resource>, signal: AbortSignal | undefined): Slot<Resource> {
    if (slot.state !== 'leased') throw this.#closedError();
    if (!signal?.aborted) return slot;
    this.giveBack(slot, undefined);
    throw signal.reason;
  }

  /** Takes a slot back from its user; false when it is not on loan. */
  giveBack(slot: Slot<Resource>, broken: 'broken' | 'requested' | undefined): boolean {
    // A closed pool takes its resources back one by one, and whoever is told of one may give back another.
    if (slot.state !== 'leased' || this.state === 'closed') return false;
    slot.idleSinceMs = this.#options.clock.now();
    if (broken !== undefined) {
      this.borrowed -= 1;
      this.retire(slot, broken);
      return true;
    }
    if (this.#options.factory.reset === undefined) {
      this.#settle(slot, true);
      return true;
    }
    // A worn-out one too: its last user's work may still be under way, as a stream is.
    slot.state = 'resetting';
    this.checks.reset(slot, (clean) => {
      if (slot.state === 'resetting' && this.state !== 'closed') this.#settle(slot, clean);
    });
    return true;
  }

  /** Gives a free slot to who waits, else to the stack. `fresh`: it needs no validation. */
  offer(slot: Slot<Resource>, fresh = false, toBottom = false): void {
    if (slot.state === 'retired') return;
    if (this.state === 'closed') {
      this.retire(slot, 'closed');
      return;
    }
    if (this.line.size === 0 || (this.#validates && !fresh)) {
      slot.state = 'idle';
      if (toBottom) this.idle.unshift(slot);
      else this.idle.push(slot);
      if (this.line.size > 0) this.pump();
    } else {
      this.#deliver(slot);
    }
    if (this.state !== 'open') this.#changed();
  }

  /** Serves who waits from the stack, then grows for the rest and back to `minSize`. */
  pump(): void {
    while (this.line.size > this.checks.forBorrowers && this.idle.length > 0) {
      const slot = this.#popUsable();
      if (slot !== undefined) this.#deliver(slot);
    }
    if (this.state === 'closed') return;
    this.supply.grow();
    if (this.started && this.state === 'open') this.supply.fill();
    if (this.state !== 'open') this.#changed();
  }

  /** Takes a slot out of the pool for good, once. An idle one is taken off the stack. */
  retire(slot: Slot<Resource>, reason: RetireReason): void {
    if (slot.state === 'retired') return;
    if (slot.state === 'idle') {
      const index = this.idle.indexOf(slot);
      if (index >= 0) this.idle.splice(index, 1);
    }
    if (reason === 'broken' || reason === 'invalid') this.supply.replacesDead = this.#validates;
    this.#counters.retired[reason] += 1;
    this.keeper.retire(slot);
    this.#events.emit('retired', { reason, size: this.keeper.live.size });
    if (this.state !== 'open') this.#changed();
  }

  /**
   * Validates an idle slot in the background and puts it back at the bottom, or retires it. Resolves to the verdict.
   */
  async check(slot: Slot<Resource>): Promise<boolean> {
    const index = this.idle.indexOf(slot);
    if (index < 0) return true;
    this.idle.splice(index, 1);
    slot.state = 'checking';
    const mayBeDead = slot.suspected;
    slot.suspected = false;
    const valid = this.#validates ? await this.checks.validateInBackground(slot) : !mayBeDead;
    if (valid) this.supply.replacesDead = false;
    if (slot.state === 'checking') {
      if (valid) this.offer(slot, true, true);
      else this.#retireInvalid(slot);
    }
    return valid;
  }

  /** Rejects who waits, stops what is being made and retires everything. */
  end(reason: unknown): void {
    this.state = 'closed';
    this.borrowed = 0;
    this.#endReason = reason;
    this.line.clear(() => this.#closedError());
    this.supply.stop(reason, () => this.#closedError());
    for (const slot of [...this.keeper.live]) this.retire(slot, 'closed');
  }

  /** An error of this package explains itself; anything else is the cause of a `ClosedError`. */
  #closedError(): unknown {
    const reason = this.#endReason;
    return DescribeError.is(reason) ? reason : new ClosedError(this.#options.name, { cause: reason });
  }

  /** What becomes of a slot that its user has done with. */
  #settle(slot: Slot<Resource>, clean: boolean): void {
    this.borrowed -= 1;
    const worn = wornOut(slot, slot.idleSinceMs, this.#options.maxUsageCount);
    if (worn !== undefined) this.retire(slot, worn);
    else if (clean) this.offer(slot);
    else this.retire(slot, 'reset-failed');
  }

  #popUsable(): Slot<Resource> | undefined {
    for (let slot = this.idle.pop(); slot !== undefined; slot = this.idle.pop()) {
      if (!this.#validates && slot.expiresAtMs === Number.POSITIVE_INFINITY) return slot;
      const worn = wornOut(slot, this.#options.clock.now(), this.#options.maxUsageCount);
      if (worn !== undefined) {
        slot.state = 'checking';
        this.retire(slot, worn);
        continue;
      }
      if (!this.#validates) return slot;
      const verdict = this.checks.validateOnBorrow(slot, (valid) => this.#onChecked(slot, valid));
      if (verdict === 'pending') return undefined;
      if (!verdict) this.retire(slot, 'invalid');
      else if (slot.state === 'checking') return slot;
    }
    return undefined;
  }

  #onChecked(slot: Slot<Resource>, valid: boolean): void {
    if (slot.state !== 'checking') return;
    if (valid) this.offer(slot, true);
    else this.#retireInvalid(slot);
  }

  #retireInvalid(slot: Slot<Resource>): void {
    this.retire(slot, 'invalid');
    this.pump();
  }

  #lend(slot: Slot<Resource>, acquiredBy: Error | undefined): Slot<Resource> {
    slot.state = 'leased';
    slot.suspected = false;
    slot.uses += 1;
    this.borrowed += 1;
    this.#counters.acquired += 1;
    if (acquiredBy !== undefined) {
      slot.leasedAtMs = this.#options.clock.now();
      slot.leakReported = false;
      slot.acquiredBy = acquiredBy;
    }
    return slot;
  }

  #deliver(slot: Slot<Resource>): void {
    const waiter = this.line.shift();
    if (waiter !== undefined) {
      waiter.resolve(this.#lend(slot, waiter.joinedAt));
      return;
    }
    // The last one left while the slot was looked at.
    slot.state = 'idle';
    this.idle.push(slot);
  }

  #onLeft({ timeoutMs }: Waiter<Slot<Resource>>, why: 'timeout' | 'abort'): void {
    if (why === 'abort') {
      this.#counters.aborted += 1;
    } else {
      this.#counters.timedOut += 1;
      this.#events.emit('acquireTimedOut', { timeoutMs, waiting: this.line.size });
    }
    if (this.state !== 'open') this.#changed();
  }
}

import { ClosedError, DescribeError, PoolTimeoutError, QueueFullError } from '../../errors/index.ts';
import type { Emitter } from '../../internal/emitter.ts';
import { wrongInput } from '../../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import type { AcquireOptions } from '../options/acquire-options.ts';
import type { PoolSettings } from '../options/resource-pool-options.ts';
import type { PermitShare, PermitUser } from '../options/slot-permits.ts';
import type { ResourcePoolEvents } from '../reports/resource-pool-events.ts';
import type { PoolCounters, ResourcePoolState, RetireReason } from '../reports/resource-pool-stats.ts';
import type { Slot } from './slot.ts';
import { SlotChecks } from './slot-checks.ts';
import type { SlotKeeper } from './slot-keeper.ts';
import { SlotSupply, type SlotSupplyOwner } from './slot-supply.ts';
import { type Waiter, WaitingQueue } from './waiting-queue.ts';

/** Brings slots and acquires together: idle stack, waiting queue, supply. Its owner decides when to shrink and end. */
export class SlotDispatcher<Resource> implements SlotSupplyOwner<Resource>, PermitUser {
  readonly supply: SlotSupply<Resource>;
  readonly waiting: WaitingQueue<Slot<Resource>>;
  /** The stack of idle slots. The last one in is lent first, so that the others can reach their idle timeout. */
  readonly idle: Slot<Resource>[] = [];
  readonly checks: SlotChecks<Resource>;
  readonly #settings: PoolSettings<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  /** Called after anything that may have ended a drain. */
  readonly #changed: () => void;
  readonly suspect: (slot: Slot<Resource>) => void;
  readonly #validates: boolean;
  readonly #trackLoans: boolean;
  readonly #permits: PermitShare | undefined;
  #endReason: unknown;
  state: ResourcePoolState = 'open';
  /** Whether the pool was used. Only then `minSize` is kept. */
  started = false;
  /** Slots that are lent, or being cleaned after a loan. */
  borrowed = 0;

  constructor(
    settings: PoolSettings<Resource>,
    counters: PoolCounters,
    events: Emitter<ResourcePoolEvents>,
    changed: () => void,
    suspect: (slot: Slot<Resource>) => void,
  ) {
    this.#settings = settings;
    this.#counters = counters;
    this.#events = events;
    this.#changed = changed;
    this.suspect = suspect;
    this.#validates = settings.factory.validate !== undefined;
    this.#trackLoans = settings.leakThresholdMs !== undefined;
    this.checks = new SlotChecks(settings);
    this.waiting = new WaitingQueue({
      clock: settings.clock,
      timeoutMs: settings.acquireTimeoutMs,
      timedOut: (waiter) => new PoolTimeoutError(settings.name, waiter.timeoutMs, this.keeper.lastFailure),
      left: (waiter, why) => this.#onLeft(waiter, why),
    });
    this.supply = new SlotSupply<Resource>(settings, this, counters, events);
    this.#permits = settings.permits?.join(this);
    this.keeper.permits = this.#permits;
  }

  get keeper(): SlotKeeper<Resource> {
    return this.supply.keeper;
  }

  get wanted(): number {
    return this.keeper.canOpen() ? Math.min(this.supply.unserved, this.#settings.maxSize - this.keeper.size) : 0;
  }

  closeIdle(): void {
    const [slot] = this.idle;
    if (slot !== undefined) this.retire(slot, 'yielded');
  }

  /** Resolves when `minSize` slots are made; rejects with the first failure. */
  async warm(): Promise<void> {
    if (this.state !== 'open') throw this.#closedError();
    this.started = true;
    await this.supply.warm();
  }

  /** Lends an idle slot at once, or promises the next one. */
  take(options: AcquireOptions = NO_OPTIONS): Slot<Resource> | Promise<Slot<Resource>> {
    if (this.state !== 'open') return Promise.reject(this.#closedError());
    const { signal, priority = 0, timeoutMs = this.#settings.acquireTimeoutMs } = options;
    if (!Number.isFinite(priority)) return Promise.reject(wrongInput('priority', 'a finite number', priority));
    if (!(typeof timeoutMs === 'number' && timeoutMs > 0)) {
      return Promise.reject(wrongInput('timeoutMs', 'milliseconds above 0', timeoutMs));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.started = true;
    // Made here, while the caller is still on the stack.
    const acquiredBy = this.#trackLoans ? new Error('acquired here') : undefined;
    const slot = this.#popUsable();
    if (slot !== undefined) return this.#lend(slot, acquiredBy);
    // Hooks and listeners ran, and may have closed the pool.
    if (this.state !== 'open') return Promise.reject(this.#closedError());
    if (this.supply.unserved >= this.#settings.maxWaiting && !this.keeper.canOpen()) {
      this.#counters.refused += 1;
      return Promise.reject(new QueueFullError(this.#settings.name, 'maxWaiting', this.#settings.maxWaiting));
    }
    return this.waiting.join(priority, timeoutMs, signal, (waiter) => {
      waiter.acquiredBy = acquiredBy;
      this.supply.grow();
    });
  }

  /**
   * Checks a slot that was delivered a moment ago. Before its user runs, the signal may have aborted or the pool may
   * have been destroyed.
   */
  confirm(slot: Slot<Resource>, signal: AbortSignal | undefined): Slot<Resource> {
    if (slot.state !== 'leased') throw this.#closedError();
    if (!signal?.aborted) return slot;
    this.giveBack(slot, undefined);
    throw signal.reason;
  }

  /** Takes a slot back from its user; false when it is not lent. */
  giveBack(slot: Slot<Resource>, broken: 'broken' | 'requested' | undefined): boolean {
    // A closed pool retires its slots one by one, and a listener of that event may give back another.
    if (slot.state !== 'leased' || this.state === 'closed') return false;
    slot.idleSinceMs = this.#settings.clock.now();
    if (broken !== undefined) {
      this.borrowed -= 1;
      this.retire(slot, broken);
    } else if (this.#settings.factory.reset === undefined) {
      this.#settle(slot, true);
    } else {
      // Also for a worn-out slot: its last user's work, such as a stream, may still run.
      slot.state = 'resetting';
      const clean = this.checks.reset(slot, (done) => this.#onReset(slot, done));
      if (clean !== 'pending') this.#onReset(slot, clean);
    }
    return true;
  }

  /**
   * Gives a free slot to the first waiter, else to the stack, unless another pool needs its permit. `fresh` means that
   * it needs no validation.
   */
  offer(slot: Slot<Resource>, fresh = false, toBottom = false): void {
    if (slot.state === 'retired') return;
    if (this.state === 'closed') {
      this.retire(slot, 'closed');
      return;
    }
    if (this.waiting.size > 0 && (fresh || !this.#validates)) {
      this.#deliver(slot);
    } else if (this.#permits !== undefined && this.waiting.size === 0 && !this.#permits.keeps(false)) {
      this.retire(slot, 'yielded');
    } else {
      slot.state = 'idle';
      if (toBottom) this.idle.unshift(slot);
      else this.idle.push(slot);
      if (this.waiting.size > 0) this.pump();
    }
    if (this.state !== 'open') this.#changed();
  }

  /** Serves waiters from the stack, then grows for the others and back to `minSize`. */
  pump(): void {
    while (this.waiting.size > this.checks.forAcquires && this.idle.length > 0) {
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

  /** Validates an idle slot in the background. Puts it back at the bottom, or retires it. Resolves to the verdict. */
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

  /** Rejects the waiters, aborts running creates and retires every slot. */
  end(reason: unknown): void {
    this.state = 'closed';
    this.borrowed = 0;
    this.#endReason = reason;
    this.waiting.clear(() => this.#closedError());
    this.supply.stop(reason, () => this.#closedError());
    for (const slot of [...this.keeper.live]) this.retire(slot, 'closed');
  }

  /** An error of this package explains itself; anything else is the cause of a `ClosedError`. */
  #closedError(): unknown {
    const reason = this.#endReason;
    return DescribeError.is(reason) ? reason : new ClosedError(this.#settings.name, { cause: reason });
  }

  #onReset(slot: Slot<Resource>, clean: boolean): void {
    if (slot.state === 'resetting' && this.state !== 'closed') this.#settle(slot, clean);
  }

  /** Offers a slot whose user is done with it, or retires it. */
  #settle(slot: Slot<Resource>, clean: boolean): void {
    const { maxUsageCount = Number.POSITIVE_INFINITY } = this.#settings;
    this.borrowed -= 1;
    if (slot.uses >= maxUsageCount) this.retire(slot, 'usage');
    else if (slot.expiresAtMs <= slot.idleSinceMs) this.retire(slot, 'lifetime');
    else if (!clean) this.retire(slot, 'reset-failed');
    else if (this.#permits !== undefined && this.waiting.size > 0 && !this.#permits.keeps(true))
      this.retire(slot, 'yielded');
    else this.offer(slot);
  }

  #popUsable(): Slot<Resource> | undefined {
    for (let slot = this.idle.pop(); slot !== undefined; slot = this.idle.pop()) {
      const { expiresAtMs } = slot;
      if (expiresAtMs < Number.POSITIVE_INFINITY && expiresAtMs <= this.#settings.clock.now()) {
        slot.state = 'checking';
        this.retire(slot, 'lifetime');
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
      slot.leasedAtMs = this.#settings.clock.now();
      slot.leakReported = false;
      slot.acquiredBy = acquiredBy;
    }
    return slot;
  }

  #deliver(slot: Slot<Resource>): void {
    const waiter = this.waiting.shift();
    if (waiter !== undefined) {
      waiter.resolve(this.#lend(slot, waiter.acquiredBy));
      return;
    }
    // The last waiter left while the slot was checked.
    this.offer(slot);
  }

  #onLeft({ timeoutMs }: Waiter<Slot<Resource>>, why: 'timeout' | 'abort'): void {
    if (why === 'abort') {
      this.#counters.aborted += 1;
    } else {
      this.#counters.timedOut += 1;
      this.#events.emit('acquireTimedOut', { timeoutMs, waiting: this.waiting.size });
    }
    if (this.state !== 'open') this.#changed();
  }
}

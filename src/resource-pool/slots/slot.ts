import type { GrowReason } from '../reports/resource-pool-stats.ts';
import type { Waiter } from './waiting-queue.ts';

/**
 * The state of a slot. `opening`: being created. `idle`: on the stack. `leased`: lent. `checking`: being validated.
 * `resetting`: being reset after a lease. `retired`: being destroyed, or destroyed.
 */
export type SlotState = 'opening' | 'idle' | 'leased' | 'checking' | 'resetting' | 'retired';

/** Why a resource could not be made. */
export interface CreateFailure {
  /** The error that `factory.create` threw. */
  readonly cause: unknown;
  /** The cause in words, made once: the message of many waiters may quote it. */
  readonly said: string;
}

/** One resource of a pool and its state. Never reused, because generic-pool identifies its loans by object. */
export class Slot<Resource> {
  state: SlotState = 'opening';
  /** Set once made; its type is that of a slot that left `opening`. */
  resource!: Resource;
  uses = 0;
  createdAtMs = 0;
  /** When its lifetime is over; infinite without one. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** When it last came back. */
  idleSinceMs = 0;
  leasedAtMs = 0;
  checkedAtMs = 0;
  /** Whether it may be dead: its resource said so, or it replaces a dead one and is unchecked. */
  suspected = false;
  /** The stack of its acquire, kept only while leaks are looked for. */
  acquiredBy: Error | undefined;
  leakReported = false;
  /** The waiter it is being made for. */
  madeFor: Waiter<Slot<Resource>> | undefined;
  readonly reason: GrowReason;
  /** Why it could not be made. */
  failure: CreateFailure | undefined;

  constructor(reason: GrowReason, madeFor?: Waiter<Slot<Resource>>) {
    this.reason = reason;
    this.madeFor = madeFor;
  }
}

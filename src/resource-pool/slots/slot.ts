import type { CreateFailure } from './create-failure.ts';
import type { Waiter } from './waiting-queue.ts';

/**
 * Where a slot is. `opening`: being made. `idle`: on the stack. `leased`: somebody has it. `checking`: being validated.
 * `resetting`: being cleaned after a lease. `retired`: being destroyed, or gone.
 */
export type SlotState = 'opening' | 'idle' | 'leased' | 'checking' | 'resetting' | 'retired';

/** Why a slot is made. `waiting`: somebody waits and nothing is free. `min-size`: the pool is below `minSize`. */
export type GrowReason = 'waiting' | 'min-size';

/** Why a slot was destroyed. */
export type RetireReason =
  | 'broken'
  | 'invalid'
  | 'reset-failed'
  | 'idle'
  | 'lifetime'
  | 'usage'
  | 'requested'
  | 'closed';

/** One place of a pool and the resource in it. A fresh object each: generic-pool knows its loans by identity. */
export class Slot<Resource> {
  state: SlotState = 'opening';
  /** Set once made; the type says so for everyone who meets a slot that left `opening`. */
  resource!: Resource;
  uses = 0;
  createdAtMs = 0;
  /** When its lifetime is over; infinite without one. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** When it last came back or was last found healthy. */
  idleSinceMs = 0;
  leasedAtMs = 0;
  checkedAtMs = 0;
  /** Whether it may be dead: it said so, or it replaces one that was and was not looked at yet. */
  suspected = false;
  /** Where it was acquired, kept only while leaks are looked for. */
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

/** Why a slot should not be lent again, if so. */
export function wornOut(
  { uses, expiresAtMs }: Pick<Slot<unknown>, 'uses' | 'expiresAtMs'>,
  now: number,
  maxUsageCount: number | undefined,
): 'usage' | 'lifetime' | undefined {
  if (maxUsageCount !== undefined && uses >= maxUsageCount) return 'usage';
  return expiresAtMs <= now ? 'lifetime' : undefined;
}

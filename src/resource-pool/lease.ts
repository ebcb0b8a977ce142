import { LeaseError } from '../errors/index.ts';
import type { Slot } from './slots/slot.ts';
import type { SlotDispatcher } from './slots/slot-dispatcher.ts';

/**
 * A lent resource. It belongs to its holder alone until `release()` or `destroy()`, which may be destructured:
 * `const { resource, release } = await pool.acquire()`.
 */
export interface Lease<Resource> extends AsyncDisposable {
  /**
   * The borrowed resource.
   * @throws `DESCRIBE_LEASE_INVALID` after the lease ended, or its pool took the resource back.
   */
  readonly resource: Resource;
  /**
   * Gives the resource back.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already: released twice, or its pool was destroyed.
   */
  readonly release: () => void;
  /**
   * Gives it back to be destroyed, because it is broken.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already.
   */
  readonly destroy: () => void;
}

/** A lease on a slot. */
export class SlotLease<Resource> implements Lease<Resource> {
  readonly #slots: SlotDispatcher<Resource>;
  #slot: Slot<Resource> | undefined;

  constructor(slots: SlotDispatcher<Resource>, slot: Slot<Resource>) {
    this.#slots = slots;
    this.#slot = slot;
  }

  get resource(): Resource {
    const slot = this.#slot;
    if (slot?.state !== 'leased') throw new LeaseError('this lease has ended; acquire another');
    return slot.resource;
  }

  /** Tells whether this lease came from the pool of those slots. */
  isFrom(slots: unknown): boolean {
    return this.#slots === slots;
  }

  readonly release = (): void => this.#end(undefined, 'released');

  readonly destroy = (): void => this.#end('requested', 'destroyed');

  /** Releases unless the lease has ended, so that `await using` works beside an explicit end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot !== undefined) this.#slots.giveBack(slot, undefined);
  }

  #end(broken: 'requested' | undefined, verb: string): void {
    const slot = this.#slot;
    if (slot === undefined) throw new LeaseError(`this lease was ${verb} after its end`);
    this.#slot = undefined;
    if (!this.#slots.giveBack(slot, broken)) {
      throw new LeaseError(`this lease was ${verb} after its pool was closed and had taken the resource back`);
    }
  }
}

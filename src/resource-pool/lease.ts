import { LeaseError } from '../errors/index.ts';

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

/** The part of a pool that a lease calls. */
export interface LeaseHome<Slot> {
  /** False when the slot is no longer lent, because its pool took it back. */
  giveBack(slot: Slot, broken: boolean): boolean;
}

interface Loanable<Resource> {
  readonly state: string;
  readonly resource: Resource;
}

/** A lease on a slot. */
export class SlotLease<Resource, Slot extends Loanable<Resource>> implements Lease<Resource> {
  readonly #home: LeaseHome<Slot>;
  #slot: Slot | undefined;

  constructor(home: LeaseHome<Slot>, slot: Slot) {
    this.#home = home;
    this.#slot = slot;
  }

  get resource(): Resource {
    const slot = this.#slot;
    if (slot?.state !== 'leased') throw new LeaseError('this lease has ended; acquire another');
    return slot.resource;
  }

  /** Tells whether this lease came from that pool. */
  isFrom(home: unknown): boolean {
    return this.#home === home;
  }

  readonly release = (): void => this.#end(false, 'released');

  readonly destroy = (): void => this.#end(true, 'destroyed');

  /** Releases unless the lease has ended, so that `await using` goes with an explicit end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot !== undefined) this.#home.giveBack(slot, false);
  }

  #end(broken: boolean, verb: string): void {
    const slot = this.#slot;
    if (slot === undefined) throw new LeaseError(`this lease was ${verb} after its end`);
    this.#slot = undefined;
    if (!this.#home.giveBack(slot, broken)) {
      throw new LeaseError(`this lease was ${verb} after its pool was closed and had taken the resource back`);
    }
  }
}

import type { Clock } from '../../internal/clock.ts';
import { type HeapNode, IndexedHeap } from '../../internal/collections/priority-queue.ts';
import type { PermitShare, PermitUser, SlotPermits } from '../../resource-pool/index.ts';

/** The permits of one pool. It is in the heap while its calls wait for a permit. */
class Share implements PermitShare, HeapNode {
  readonly pool: PermitUser;
  readonly #permits: ConnectionPermits;
  heapIndex = -1;
  /** Permits held by connections that stay: the pool with fewest goes first. */
  order = 0;
  /** When it began to wait: the first among equals. */
  sequence = 0;
  /** Permits of connections that close to make way for another pool. */
  leaving = 0;

  constructor(permits: ConnectionPermits, pool: PermitUser) {
    this.#permits = permits;
    this.pool = pool;
  }

  take(): boolean {
    return this.#permits.take(this);
  }

  give(): void {
    this.#permits.give(this);
  }

  keeps(isWanted: boolean): boolean {
    return this.#permits.keeps(this, isWanted);
  }
}

/** The next call of the same tenant often comes at once, so a connection is closed for an equal only after this. */
const BRIEFLY_IDLE_MS = 100;

/**
 * Bounds the connections of several pools together, and divides them fairly. A free permit goes to the waiting pool
 * with the fewest connections, and among equals to the one that waits for longest. A pool closes a connection for a
 * waiting one when it is idle, or when a call on it has ended and the pool has at least two more than the other. Where
 * there are more pools than permits, those with a single connection take turns.
 *
 * Shape: max-min fairness by permits held (Bertsekas & Gallager, "Data Networks", section 6.5).
 */
export class ConnectionPermits implements SlotPermits {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #order = new IndexedHeap<Share>();
  /** The same shares; those whose calls no longer wait stay until their turn. */
  readonly #waiting = new Set<Share>();
  readonly #holders = new Set<Share>();
  /** The pool whose turn it is to take a permit. */
  #turn: Share | undefined;
  #joined = 0;
  /** Permits that are not free; never above the maximum. */
  taken = 0;
  /** Permits of connections that close to make way. */
  #leaving = 0;

  constructor(max: number, clock: Clock) {
    this.#max = max;
    this.#clock = clock;
  }

  /** Pools whose calls wait for a permit. */
  get waiting(): number {
    return [...this.#waiting].filter(({ pool }) => pool.wanted > 0).length;
  }

  join(pool: PermitUser): PermitShare {
    return new Share(this, pool);
  }

  /** For shares. */
  take(share: Share): boolean {
    const isTurn = this.#turn === share;
    this.#turn = undefined;
    if (this.taken < this.#max && (isTurn || this.#first() === undefined)) {
      this.taken += 1;
      this.#holders.add(share);
      this.#changeOrder(share, 1);
      return true;
    }
    if (share.heapIndex < 0) {
      this.#joined += 1;
      share.sequence = this.#joined;
      this.#order.push(share);
      this.#waiting.add(share);
    }
    this.#reclaim();
    return false;
  }

  /** For shares. */
  give(share: Share): void {
    this.taken -= 1;
    if (share.leaving > 0) {
      share.leaving -= 1;
      this.#leaving -= 1;
    } else {
      this.#changeOrder(share, -1);
    }
    if (share.order + share.leaving === 0) this.#holders.delete(share);
    this.#serve();
  }

  /** For shares. */
  keeps(share: Share, isWanted: boolean): boolean {
    const first = this.#first();
    if (first === undefined || !this.#isShort()) return true;
    // The permits that are on their way count as if they were divided among the pools that wait.
    const isAhead = share.order > first.order + 1 + this.#leaving / this.#waiting.size;
    const yields = isWanted
      ? isAhead || (share.order === 1 && first.order === 0)
      : share.order > first.order + this.#leaving / this.#waiting.size;
    if (yields) this.#letGo(share);
    else if (isWanted) this.#reclaim();
    return !yields;
  }

  /** The first pool whose calls still wait. */
  #first(): Share | undefined {
    for (let first = this.#order.peek(); first !== undefined; first = this.#order.peek()) {
      if (first.pool.wanted > 0) return first;
      this.#leave(first);
    }
    return undefined;
  }

  #leave(share: Share): void {
    this.#order.remove(share);
    this.#waiting.delete(share);
  }

  /** Whether pools want more connections than permits are free or on their way. */
  #isShort(): boolean {
    let spare = this.#max - this.taken + this.#leaving;
    for (const { pool } of this.#waiting) {
      spare -= pool.wanted;
      if (spare < 0) return true;
    }
    return false;
  }

  #serve(): void {
    while (this.taken < this.#max) {
      const first = this.#first();
      if (first === undefined) return;
      this.#leave(first);
      this.#turn = first;
      first.pool.pump();
      this.#turn = undefined;
    }
  }

  /** Closes idle connections for the pools that wait, those that are idle for longest first. */
  #reclaim(): void {
    for (let first = this.#first(); first !== undefined && this.#isShort(); first = this.#first()) {
      let longest: Share | undefined;
      for (const share of this.#holders) {
        if (idleSinceMs(share) < idleSinceMs(longest)) longest = share;
      }
      if (longest === undefined) return;
      const idleMs = this.#clock.now() - idleSinceMs(longest);
      // A pool that has a connection asks again when a call on it ends.
      if (idleMs < BRIEFLY_IDLE_MS && first.order > 0 && longest.order <= first.order) return;
      this.#letGo(longest);
      longest.pool.closeIdle();
    }
  }

  #letGo(share: Share): void {
    share.leaving += 1;
    this.#leaving += 1;
    this.#changeOrder(share, -1);
  }

  #changeOrder(share: Share, by: 1 | -1): void {
    share.order += by;
    this.#order.update(share);
  }
}

const idleSinceMs = (share: Share | undefined): number => share?.pool.idle[0]?.idleSinceMs ?? Number.POSITIVE_INFINITY;

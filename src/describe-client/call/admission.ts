import { QueueFullError } from '../../errors/queue-full-error.ts';
import type { Clock } from '../../internal/clock.ts';
import { type HeapNode, IndexedHeap, PriorityQueue } from '../../internal/collections/priority-queue.ts';
import type { AdmissionLimits } from '../options/limit-options.ts';
import { AdmissionTicket, CapacityWait, type TicketHolder } from './admission-ticket.ts';

/** A frozen, JSON-safe snapshot of the calls in the client. */
export interface AdmissionStats {
  /** Calls in the client. */
  readonly calls: number;
  /** Calls that wait for capacity for their image. */
  readonly waiting: number;
  /** Bytes of images in memory, or about to be. */
  readonly bytesInFlight: number;
  /** Calls that were refused since the start because the client was full. */
  readonly refused: number;
}

/** A step of priority is worth this much of earlier arrival, so that no call starves. */
const AGEING_MS = 1000;

/** The capacity that a client and its tenants hold together, and the order in which their calls get capacity. */
class Shared {
  calls = 0;
  bytes = 0;
  refused = 0;
  waiting = 0;
  joined = 0;
  readonly limits: AdmissionLimits;
  /** Those whose calls wait: the one that holds the fewest bytes goes first. */
  readonly order = new IndexedHeap<Admission>();

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
  }
}

/**
 * Bounds the calls of a client by number, and the images that they hold in memory by bytes. Calls that wait for
 * capacity are served by priority, then in the order of arrival; a smaller image never overtakes a larger one.
 *
 * A client and its tenants share the limits. Capacity goes to the one that holds the fewest bytes. A tenant may have as
 * many calls as the client has capacity for more, so that one never fills it. Shape: Choudhury & Hahne, "Dynamic Queue
 * Length Thresholds for Shared-Memory Packet Switches" (1998).
 */
export class Admission implements HeapNode, TicketHolder {
  readonly #shared: Shared;
  readonly #clock: Clock;
  readonly #queue = new PriorityQueue<CapacityWait>(AGEING_MS);
  readonly #onIdle: (() => void) | undefined;
  heapIndex = -1;
  /** The bytes that its calls hold. */
  order = 0;
  /** When it began to wait for its next capacity: the first among equals. */
  sequence = 0;
  /** Its calls, and the work that outlives them. */
  #tickets = 0;
  #calls = 0;
  #refused = 0;
  #sequence = 0;

  /** @param limits - Checked by `ADMISSION_SPEC`. */
  constructor(limits: AdmissionLimits, clock: Clock, shared = new Shared(limits), onIdle?: () => void) {
    this.#shared = shared;
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  /** The admission of a tenant. Calls `onIdle` whenever its last call has ended. */
  ofTenant(onIdle: () => void): Admission {
    return new Admission(this.#shared.limits, this.#clock, this.#shared, onIdle);
  }

  /** Calls that entered here: those of a tenant, or those of a client without its tenants. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether a call is in, or work that outlives one. */
  get isBusy(): boolean {
    return this.#tickets > 0;
  }

  /**
   * Admits a call. Its ticket must `leave()` once, whatever happens. `waits` is called when a wait for capacity begins.
   * The function that it returns is called when that wait ends.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxQueuedCalls` are in.
   */
  enter(priority = 0, waits: () => () => void = () => () => {}): AdmissionTicket {
    const shared = this.#shared;
    const { maxQueuedCalls } = shared.limits;
    const free = maxQueuedCalls - shared.calls;
    if (free <= 0 || (this.#onIdle !== undefined && this.#calls >= free)) {
      this.#refused += 1;
      shared.refused += 1;
      const what = free <= 0 ? 'the client' : 'the share of this tenant';
      throw new QueueFullError(what, 'limits.maxQueuedCalls', maxQueuedCalls);
    }
    this.#calls += 1;
    this.#tickets += 1;
    shared.calls += 1;
    return new AdmissionTicket(this, priority, waits);
  }

  /** Of a client with its tenants, or of one tenant. */
  getStats(): AdmissionStats {
    if (this.#onIdle === undefined) {
      const { calls, waiting, bytes: bytesInFlight, refused } = this.#shared;
      return Object.freeze({ calls, waiting, bytesInFlight, refused });
    }
    const waiting = this.#queue.size;
    return Object.freeze({ calls: this.#calls, waiting, bytesInFlight: this.order, refused: this.#refused });
  }

  left(): void {
    this.#calls -= 1;
    this.#shared.calls -= 1;
  }

  ended(bytes: number): void {
    this.#tickets -= 1;
    if (bytes > 0) this.change(-bytes);
    if (this.#tickets === 0) this.#onIdle?.();
  }

  take(bytes: number, priority: number): CapacityWait | undefined {
    const shared = this.#shared;
    if (shared.waiting === 0 && (shared.bytes === 0 || shared.bytes + bytes <= shared.limits.maxBytesInFlight)) {
      shared.bytes += bytes;
      this.order += bytes;
      return undefined;
    }
    this.#sequence += 1;
    const wait = new CapacityWait(bytes, priority, this.#sequence, this.#clock.now());
    this.#queue.add(wait);
    shared.waiting += 1;
    if (this.heapIndex < 0) this.#join();
    this.#serve();
    return wait;
  }

  giveUp(wait: CapacityWait): void {
    this.#leave(wait);
    this.#serve();
  }

  change(byBytes: number): void {
    const shared = this.#shared;
    shared.bytes += byBytes;
    this.order += byBytes;
    if (shared.waiting === 0) return;
    shared.order.update(this);
    if (byBytes < 0) this.#serve();
  }

  #serve(): void {
    const { order, limits } = this.#shared;
    for (let next = order.peek(); next !== undefined; next = order.peek()) {
      const { first } = next.#queue;
      const { bytes } = this.#shared;
      if (first === undefined || (bytes > 0 && bytes + first.bytes > limits.maxBytesInFlight)) return;
      first.granted = true;
      next.#leave(first);
      this.#shared.bytes += first.bytes;
      next.order += first.bytes;
      order.update(next);
      first.onGrant?.();
    }
  }

  /** Begins to wait for the next capacity. */
  #join(): void {
    this.#shared.joined += 1;
    this.sequence = this.#shared.joined;
    this.#shared.order.push(this);
  }

  #leave(wait: CapacityWait): void {
    if (!this.#queue.remove(wait)) return;
    this.#shared.waiting -= 1;
    if (!wait.granted && this.#queue.size > 0) return;
    this.#shared.order.remove(this);
    if (this.#queue.size > 0) this.#join();
  }
}

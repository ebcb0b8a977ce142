import { QueueFullError } from '../../errors/queue-full-error.ts';
import { onAbort } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { type Bucket, PriorityQueue, type QueueItem } from '../../internal/collections/priority-queue.ts';
import type { AdmissionLimits } from '../options/limit-options.ts';

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

/** Capacity in memory for the image of a call, taken before its bytes are read. */
export interface ByteCapacity {
  /**
   * Takes capacity for this many bytes: at once, or returns a promise of it. Has no effect when as much is held
   * already.
   * @throws the signal's reason when it aborts.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<void> | undefined;
  /** Corrects the number of bytes to those in memory; never waits. */
  correct(bytes: number): void;
}

/**
 * Bounds the calls of a client by number, and the images that they hold in memory by bytes. Calls that wait for
 * capacity are served by priority, then in the order of arrival; a smaller image never overtakes a larger one.
 */
export class Admission {
  /** The calls in the client, and the bytes that they hold. Their tickets change both. */
  readonly #held = { calls: 0, bytes: 0 };
  readonly #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #queue = new PriorityQueue<CapacityWait>(AGEING_MS);
  #refused = 0;
  #sequence = 0;

  /** @param limits - Checked by `ADMISSION_SPEC`. */
  constructor(limits: AdmissionLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Admits a call. Its ticket must `leave()` once, whatever happens. `waits` is called when a wait for capacity begins.
   * The function that it returns is called when that wait ends.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxQueuedCalls` are in.
   */
  enter(priority = 0, waits: () => () => void = () => () => {}): AdmissionTicket {
    const { maxQueuedCalls } = this.#limits;
    if (this.#held.calls >= maxQueuedCalls) {
      this.#refused += 1;
      throw new QueueFullError('the client', 'limits.maxQueuedCalls', maxQueuedCalls);
    }
    this.#held.calls += 1;
    return new AdmissionTicket(this, this.#held, priority, waits);
  }

  getStats(): AdmissionStats {
    const { calls, bytes: bytesInFlight } = this.#held;
    return Object.freeze({ calls, waiting: this.#queue.size, bytesInFlight, refused: this.#refused });
  }

  /** For tickets: takes capacity at once, or returns the wait for it. */
  take(bytes: number, priority: number): CapacityWait | undefined {
    if (this.#queue.size === 0 && this.#fits(bytes)) {
      this.#held.bytes += bytes;
      return undefined;
    }
    this.#sequence += 1;
    const wait = new CapacityWait(bytes, priority, this.#sequence, this.#clock.now());
    this.#queue.add(wait);
    this.#serve();
    return wait;
  }

  /** For tickets: a wait ended without its capacity. */
  giveUp(wait: CapacityWait): void {
    this.#queue.remove(wait);
    this.#serve();
  }

  /** For tickets: more or fewer bytes are held; never waits. */
  change(byBytes: number): void {
    this.#held.bytes += byBytes;
    if (byBytes < 0 && this.#queue.size > 0) this.#serve();
  }

  #serve(): void {
    for (let { first } = this.#queue; first !== undefined && this.#fits(first.bytes); { first } = this.#queue) {
      this.#queue.remove(first);
      this.#held.bytes += first.bytes;
      first.granted = true;
      first.onGrant?.();
    }
  }

  #fits(bytes: number): boolean {
    return this.#held.bytes === 0 || this.#held.bytes + bytes <= this.#limits.maxBytesInFlight;
  }
}

/** A queued wait for capacity. */
class CapacityWait implements QueueItem<CapacityWait> {
  readonly bytes: number;
  readonly priority: number;
  readonly sequence: number;
  readonly atMs: number;
  bucket: Bucket<CapacityWait> | undefined;
  previous: CapacityWait | undefined;
  next: CapacityWait | undefined;
  /** Capacity may be granted before `onGrant` is set. */
  granted = false;
  onGrant: (() => void) | undefined;

  constructor(bytes: number, priority: number, sequence: number, atMs: number) {
    this.bytes = bytes;
    this.priority = priority;
    this.sequence = sequence;
    this.atMs = atMs;
  }
}

/** One call in the client, with the capacity for its image. Both are given back once, whatever happens. */
export class AdmissionTicket implements ByteCapacity {
  readonly #admission: Admission;
  readonly #held: { calls: number; bytes: number };
  readonly #priority: number;
  readonly #waits: () => () => void;
  /** The call itself, and each piece of work that outlives it. */
  #holders = 1;
  #inside = true;
  #bytes = 0;

  constructor(admission: Admission, held: { calls: number; bytes: number }, priority: number, waits: () => () => void) {
    this.#admission = admission;
    this.#held = held;
    this.#priority = priority;
    this.#waits = waits;
  }

  reserve(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (this.#holders === 0 || bytes <= this.#bytes) return undefined;
    // A call that waits while it holds capacity could block the calls that wait for that capacity.
    if (this.#bytes > 0) {
      this.correct(bytes);
      return undefined;
    }
    const wait = this.#admission.take(bytes, this.#priority);
    if (wait !== undefined && !wait.granted) return this.#granted(wait, signal);
    this.#bytes += bytes;
    return undefined;
  }

  correct(bytes: number): void {
    if (this.#holders === 0) return;
    const byBytes = bytes - this.#bytes;
    this.#bytes = bytes;
    if (byBytes !== 0) this.#admission.change(byBytes);
  }

  /** Keeps the capacity for work that may outlive the call. The first call of the returned function gives it back. */
  hold(): () => void {
    let held = this.#holders > 0;
    if (held) this.#holders += 1;
    return () => {
      if (held) this.#release();
      held = false;
    };
  }

  /** The call has ended. Idempotent. */
  leave(): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.#held.calls -= 1;
    this.#release();
  }

  async #granted(wait: CapacityWait, signal: AbortSignal): Promise<void> {
    const ended = this.#waits();
    const granted = new Promise<void>((resolve, reject) => {
      const detach = onAbort(signal, (reason) => {
        wait.onGrant = undefined;
        this.#admission.giveUp(wait);
        reject(reason);
      });
      wait.onGrant = () => {
        detach();
        resolve();
      };
    });
    await granted.finally(ended);
    // The call may have ended in the same moment: then its capacity goes back.
    if (this.#holders === 0) this.#admission.change(-wait.bytes);
    else this.#bytes += wait.bytes;
  }

  #release(): void {
    this.#holders -= 1;
    if (this.#holders > 0 || this.#bytes === 0) return;
    this.#admission.change(-this.#bytes);
    this.#bytes = 0;
  }
}

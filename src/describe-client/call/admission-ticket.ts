import { onAbort } from '../../internal/async/signals.ts';
import type { Bucket, QueueItem } from '../../internal/collections/priority-queue.ts';

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

/** A queued wait for capacity. */
export class CapacityWait implements QueueItem<CapacityWait> {
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

/** Counts the calls and holds their capacity. */
export interface TicketHolder {
  /** Takes capacity at once, or returns the wait for it. */
  take(bytes: number, priority: number): CapacityWait | undefined;
  /** A wait ended without its capacity. */
  giveUp(wait: CapacityWait): void;
  /** More or fewer bytes are held; never waits. */
  change(byBytes: number): void;
  /** A call has ended; work may outlive it. */
  left(): void;
  /** Nothing is left of a call that held this many bytes. */
  ended(bytes: number): void;
}

/** One call in the client, with the capacity for its image. Both are given back once, whatever happens. */
export class AdmissionTicket implements ByteCapacity {
  readonly #admission: TicketHolder;
  readonly #priority: number;
  readonly #waits: () => () => void;
  /** The call itself, and each piece of work that outlives it. */
  #holders = 1;
  #inside = true;
  #bytes = 0;

  constructor(admission: TicketHolder, priority: number, waits: () => () => void) {
    this.#admission = admission;
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
    this.#admission.left();
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
    if (this.#holders > 0) return;
    this.#admission.ended(this.#bytes);
    this.#bytes = 0;
  }
}

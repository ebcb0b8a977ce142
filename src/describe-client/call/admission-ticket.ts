import { onAbort } from '../../internal/async/signals.ts';
import type { Bucket, QueueItem } from '../../internal/collections/priority-queue.ts';

/** Room in memory for the image of a call: taken before its bytes are read. */
export interface ByteRoom {
  /**
   * Takes room for so many bytes, and waits until it is there; nothing when as much is held already.
   * @throws the signal's reason when it aborts.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<void>;
  /** Tells how many bytes there are really; never waits, for they are in memory already. */
  correct(bytes: number): void;
}

/** For those who read images without a bound. */
export const BOUNDLESS_ROOM: ByteRoom = { reserve: async () => {}, correct: () => {} };

/** The gate that tickets are of. */
export interface RoomKeeper {
  takeRoom(bytes: number, priority: number): RoomWait | undefined;
  changeRoom(byBytes: number): void;
  giveUp(wait: RoomWait): void;
  left(): void;
}

/** A place in the line for room. */
export class RoomWait implements QueueItem<RoomWait> {
  readonly bytes: number;
  readonly priority: number;
  readonly sequence: number;
  readonly atMs: number;
  bucket: Bucket<RoomWait> | undefined;
  previous: RoomWait | undefined;
  next: RoomWait | undefined;
  granted = false;
  /** Told once when the room is there, at a moment when nobody waits for it yet too. */
  onGrant: (() => void) | undefined;

  constructor(bytes: number, priority: number, sequence: number, atMs: number) {
    this.bytes = bytes;
    this.priority = priority;
    this.sequence = sequence;
    this.atMs = atMs;
  }

  grant(): void {
    this.granted = true;
    this.onGrant?.();
  }
}

/** One call in the client, with the room that its image takes. Everything is given back once, whatever happens. */
export class CallTicket implements ByteRoom {
  readonly #keeper: RoomKeeper;
  readonly #priority: number;
  readonly #waits: () => () => void;
  /** The call itself, and work that outlives it. */
  #holders = 1;
  #inside = true;
  #bytes = 0;

  constructor(keeper: RoomKeeper, priority: number, waits: () => () => void) {
    this.#keeper = keeper;
    this.#priority = priority;
    this.#waits = waits;
  }

  async reserve(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#holders === 0 || bytes <= this.#bytes) return;
    // Who waits while holding would lock out those who wait for what it holds.
    if (this.#bytes > 0) {
      this.correct(bytes);
      return;
    }
    const wait = this.#keeper.takeRoom(bytes, this.#priority);
    if (wait !== undefined && !wait.granted) {
      const ended = this.#waits();
      await this.#waitFor(wait, signal).finally(ended);
    }
    this.#took(bytes);
  }

  correct(bytes: number): void {
    if (this.#holders === 0) return;
    const byBytes = bytes - this.#bytes;
    this.#bytes = bytes;
    if (byBytes !== 0) this.#keeper.changeRoom(byBytes);
  }

  /**
   * Keeps the room for work that may outlive the call, until the function returned is called; later calls of it do
   * nothing.
   */
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
    this.#keeper.left();
    this.#release();
  }

  /** The call may have ended in the same moment: then what was granted to it goes back. */
  #took(bytes: number): void {
    if (this.#holders === 0) this.#keeper.changeRoom(-bytes);
    else this.#bytes += bytes;
  }

  #waitFor(wait: RoomWait, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const detach = onAbort(signal, (reason) => {
        wait.onGrant = undefined;
        this.#keeper.giveUp(wait);
        reject(reason);
      });
      wait.onGrant = () => {
        detach();
        resolve();
      };
    });
  }

  #release(): void {
    this.#holders -= 1;
    if (this.#holders > 0 || this.#bytes === 0) return;
    const bytes = this.#bytes;
    this.#bytes = 0;
    this.#keeper.changeRoom(-bytes);
  }
}

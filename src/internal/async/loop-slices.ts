import { setImmediate } from 'node:timers/promises';
import { type Clock, systemClock } from '../clock.ts';
import { Deferred } from './deferred.ts';

/** The longest time that computations block the thread before timers and sockets run again. */
const SLICE_MS = 2;

/**
 * Shares the thread between long computations and everything else, by elapsed time. A computation works in small
 * pieces and asks before each: `if (loopSlices.isOver()) await loopSlices.next()`.
 *
 * All computations share one slice per turn of the loop. With one slice each, thirty images would block the thread
 * thirty times as long. A new computation gets its first slice in the next turn.
 */
export class LoopSlices {
  readonly #clock: Clock;
  readonly #waiting: Deferred<void>[] = [];
  #endAtMs = Number.NEGATIVE_INFINITY;
  #turning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the slice of this turn of the loop is used up. */
  isOver(): boolean {
    return this.#clock.now() >= this.#endAtMs;
  }

  /** Lets timers and sockets run, and resolves in a later turn, in the order of the calls. */
  next(): Promise<void> {
    const slice = new Deferred<void>();
    this.#waiting.push(slice);
    if (!this.#turning) void this.#turn();
    return slice.promise;
  }

  async #turn(): Promise<void> {
    this.#turning = true;
    while (this.#waiting.length > 0) {
      await setImmediate();
      this.#endAtMs = this.#clock.now() + SLICE_MS;
      do {
        this.#waiting.shift()?.resolve();
        // The computation continues here until it ends or waits again, because its continuation was queued before this
        // one.
        await undefined;
      } while (this.#waiting.length > 0 && !this.isOver());
    }
    this.#turning = false;
  }
}

/**
 * The slices of this thread. They use the system's clock, because a caller's clock may stand still while the thread
 * works.
 */
export const loopSlices = new LoopSlices(systemClock);

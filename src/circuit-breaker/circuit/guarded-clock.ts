import { type Clock, systemClock, type TimerHandle } from '../../internal/clock.ts';

/**
 * Guards the user's clock, so that calls settle whatever it throws. A failed reading repeats the last one, and a timer
 * that cannot be set never fires. The system's clock needs no guard.
 */
export function guardedClock(clock: Clock): Clock {
  return clock === systemClock ? clock : new GuardedClock(clock);
}

class GuardedClock implements Clock {
  readonly #clock: Clock;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    try {
      this.#lastMs = this.#clock.now();
    } catch {
      // The last reading is the best estimate.
    }
    return this.#lastMs;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    try {
      return this.#clock.setTimeout(callback, delayMs);
    } catch {
      return NO_TIMER;
    }
  }

  clearTimeout(handle: TimerHandle): void {
    try {
      if (handle !== NO_TIMER) this.#clock.clearTimeout(handle);
    } catch {
      // A timer that was not cleared fires for a call that has ended, which ignores it.
    }
  }
}

const NO_TIMER = {};

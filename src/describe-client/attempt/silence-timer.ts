import { TimeoutError } from '../../errors/timeout-error.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';

/** How long a complete answer waits for what may follow it, such as its usage, and for the end of its stream. */
const LINGER_MS = 2_000;

/** Ends an attempt that is not answered in time, or whose stream stands still for as long. */
export class SilenceTimer {
  readonly limitMs: number;
  readonly #clock: Clock;
  readonly #abort: (error: TimeoutError) => void;
  #timer: TimerHandle;
  #movedAtMs: number | undefined;
  #isLingering = false;

  constructor(clock: Clock, limitMs: number, abort: (error: TimeoutError) => void) {
    this.#clock = clock;
    this.limitMs = limitMs;
    this.#abort = abort;
    this.#timer = clock.setTimeout(this.#expire, limitMs);
  }

  moved(): void {
    if (!this.#isLingering) this.#movedAtMs = this.#clock.now();
  }

  /** The answer is complete. A server that leaves its stream open then keeps nobody waiting. */
  lingers(): void {
    this.end();
    this.#timer = this.#clock.setTimeout(this.#expire, Math.min(this.limitMs, LINGER_MS));
    this.#movedAtMs = undefined;
    this.#isLingering = true;
  }

  /** More of the answer followed. From then on its pauses are bounded as before. */
  goesOn(): void {
    this.end();
    this.#isLingering = false;
    this.moved();
    this.#timer = this.#clock.setTimeout(this.#expire, this.limitMs);
  }

  end(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  /** A stream only notes its movements: to set the timer anew for each would cost more. */
  readonly #expire = () => {
    const movedAtMs = this.#movedAtMs;
    const restMs = movedAtMs === undefined ? 0 : movedAtMs + this.limitMs - this.#clock.now();
    const what = movedAtMs === undefined ? 'an attempt' : 'the stream stood still and';
    if (restMs > 0) this.#timer = this.#clock.setTimeout(this.#expire, restMs);
    else this.#abort(new TimeoutError(what, this.limitMs));
  };
}

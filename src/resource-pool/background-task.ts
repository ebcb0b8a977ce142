import { type Clock, setBackgroundTimeout, type TimerHandle } from '../internal/clock.ts';

/** Repeats a task in the background. It never runs twice at once, never throws and never holds the process. */
export class BackgroundTask {
  readonly #clock: Clock;
  readonly #delayMs: () => number;
  readonly #run: () => unknown;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(clock: Clock, delayMs: number | (() => number), run: () => unknown) {
    this.#clock = clock;
    this.#delayMs = typeof delayMs === 'number' ? () => delayMs : delayMs;
    this.#run = run;
  }

  /** Starts, unless it runs already or was stopped. */
  start(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setBackgroundTimeout(this.#clock, () => void this.#tick(), this.#delayMs());
  }

  /** Ends it for good. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    try {
      await this.#run();
    } catch {
      // What it looks after reports its own failures; the next run tries again.
    }
    this.#timer = undefined;
    this.start();
  }
}

import { weakly } from '../../internal/async/abandoned.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';

/**
 * Repeats a task in the background. It never runs twice at once, never throws, never holds the process, and ends when
 * nothing else holds it.
 */
export class BackgroundTask {
  readonly #clock: Clock;
  readonly #delayMs: () => number;
  readonly #run: () => unknown;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(clock: Clock, delayMs: () => number, run: () => unknown) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#run = run;
  }

  /** Starts, unless it runs or was stopped. */
  start(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setBackgroundTimeout(this.#clock, weakly(this, BackgroundTask.#tick), this.#delayMs());
  }

  /** Ends it; it never starts again. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  static async #tick(task: BackgroundTask): Promise<void> {
    try {
      await task.#run();
    } catch {
      // The parts of the task report their own failures, and the next run tries again.
    }
    task.#timer = undefined;
    task.start();
  }
}

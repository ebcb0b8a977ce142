import { callSafely } from '../../internal/async/user-callback.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';

/** Calls a function at an interval, without keeping the process alive. The function handles its own errors. */
export class ReportSchedule {
  readonly #clock: Clock;
  readonly #report: () => unknown;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, report: () => unknown) {
    this.#clock = clock;
    this.#report = report;
  }

  /** The first call comes after one interval. An interval that runs already is replaced. */
  start(intervalMs: number): void {
    this.stop();
    const tick = () => {
      this.#timer = setBackgroundTimeout(this.#clock, tick, intervalMs);
      callSafely(this.#report, undefined);
    };
    this.#timer = setBackgroundTimeout(this.#clock, tick, intervalMs);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

import type { OutcomeWindow } from './outcome-window.ts';

/** Slices of a window: the oldest outcome is forgotten at most a tenth of the window late. */
const SLICES = 10;

/**
 * Counts the outcomes of the last `windowMs`, in ten slices, so in constant memory whatever the traffic.
 * A clock that jumps ahead empties it; one that runs backwards counts into the newest slice.
 */
export class TimeWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  slowCalls = 0;
  readonly #sliceMs: number;
  #slice = 0;
  #sliceEndsAtMs = Number.NEGATIVE_INFINITY;
  readonly #calls: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  readonly #failures: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  readonly #slowCalls: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  recordSuccess(nowMs: number): void {
    if (nowMs >= this.#sliceEndsAtMs) this.forget(nowMs);
    this.calls += 1;
    this.#calls[this.#slice] = (this.#calls[this.#slice] ?? 0) + 1;
  }

  record(nowMs: number, failed: boolean, slow: boolean): void {
    this.recordSuccess(nowMs);
    if (failed) {
      this.failures += 1;
      this.#failures[this.#slice] = (this.#failures[this.#slice] ?? 0) + 1;
    }
    if (slow) {
      this.slowCalls += 1;
      this.#slowCalls[this.#slice] = (this.#slowCalls[this.#slice] ?? 0) + 1;
    }
  }

  forget(nowMs: number): void {
    if (nowMs < this.#sliceEndsAtMs) return;
    const passed = (nowMs - this.#sliceEndsAtMs) / this.#sliceMs;
    // Slices are cut from the first outcome on, so that two outcomes closer than nine slices always meet.
    const steps = passed < SLICES ? Math.floor(passed) + 1 : SLICES;
    for (let step = 0; step < steps; step += 1) this.#advance();
    this.#sliceEndsAtMs =
      steps < SLICES ? this.#sliceEndsAtMs + steps * this.#sliceMs : nowMs + this.#sliceMs;
  }

  #advance(): void {
    const slice = (this.#slice + 1) % SLICES;
    this.calls -= this.#calls[slice] ?? 0;
    this.failures -= this.#failures[slice] ?? 0;
    this.slowCalls -= this.#slowCalls[slice] ?? 0;
    this.#calls[slice] = 0;
    this.#failures[slice] = 0;
    this.#slowCalls[slice] = 0;
    this.#slice = slice;
  }
}

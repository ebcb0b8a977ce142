import type { OutcomeWindow } from './outcome-window.ts';

const SLICES = 10;

/**
 * Counts the outcomes of the last `windowMs` in ten slices, so in constant memory whatever the traffic. A slice expires
 * as a whole: an outcome counts for nine to ten tenths of the window. A clock that jumps ahead empties the window.
 * While a clock runs backwards, the newest slice counts on.
 */
export class TimeWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  slowCalls = 0;
  readonly #sliceMs: number;
  /** Number of the newest slice, counted from the clock's origin. */
  #slice = 0;
  #sliceEndsAtMs = Number.NEGATIVE_INFINITY;
  #place = 0;
  readonly #calls: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  readonly #failures: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  readonly #slowCalls: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  record(nowMs: number, failed: boolean, slow: boolean): void {
    if (nowMs >= this.#sliceEndsAtMs) this.forget(nowMs);
    this.calls += 1;
    this.#calls[this.#place] = (this.#calls[this.#place] ?? 0) + 1;
    if (failed) {
      this.failures += 1;
      this.#failures[this.#place] = (this.#failures[this.#place] ?? 0) + 1;
    }
    if (slow) {
      this.slowCalls += 1;
      this.#slowCalls[this.#place] = (this.#slowCalls[this.#place] ?? 0) + 1;
    }
  }

  forget(nowMs: number): void {
    if (nowMs < this.#sliceEndsAtMs) return;
    const slice = Math.floor(nowMs / this.#sliceMs);
    const passed = Math.min(SLICES, slice - this.#slice);
    for (let step = 0; step < passed; step += 1) this.#advance();
    this.#slice = slice;
    this.#sliceEndsAtMs = (slice + 1) * this.#sliceMs;
  }

  #advance(): void {
    const place = (this.#place + 1) % SLICES;
    this.calls -= this.#calls[place] ?? 0;
    this.failures -= this.#failures[place] ?? 0;
    this.slowCalls -= this.#slowCalls[place] ?? 0;
    this.#calls[place] = 0;
    this.#failures[place] = 0;
    this.#slowCalls[place] = 0;
    this.#place = place;
  }
}

import type { OutcomeWindow } from './outcome-window.ts';

const FAILED = 1;
const SLOW = 2;

/** Counts the last `windowCalls` outcomes, a byte each, whenever they ended. */
export class CountWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  slowCalls = 0;
  #next = 0;
  readonly #outcomes: Uint8Array;

  constructor(windowCalls: number) {
    this.#outcomes = new Uint8Array(windowCalls);
  }

  record(_nowMs: number, failed: boolean, slow: boolean): void {
    const outcome = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    const oldest = this.calls === this.#outcomes.length ? (this.#outcomes[this.#next] ?? 0) : 0;
    if (this.calls < this.#outcomes.length) this.calls += 1;
    this.failures += (outcome & FAILED) - (oldest & FAILED);
    this.slowCalls += ((outcome & SLOW) - (oldest & SLOW)) / SLOW;
    this.#outcomes[this.#next] = outcome;
    this.#next = (this.#next + 1) % this.#outcomes.length;
  }

  forget(): void {
    // Only newer outcomes push older ones out.
  }
}

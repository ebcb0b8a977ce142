import { CountWindow } from './count-window.ts';
import type { OutcomeWindow } from './outcome-window.ts';
import { TimeWindow } from './time-window.ts';

/** The rule that opened a breaker. */
export type TripRule = 'consecutive-failures' | 'failure-ratio' | 'slow-call-ratio';

/** The bounds of the three rules. */
export interface TripBounds {
  readonly failureThreshold: number;
  readonly failureDecayMs: number;
  readonly errorThresholdPercentage: number;
  readonly slowCallRatio: number;
  readonly minimumCalls: number;
  readonly windowMs: number;
  readonly windowCalls: number | undefined;
}

/** The evidence as stats show it. */
export interface EvidenceSummary {
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  readonly consecutiveFailures: number;
}

/**
 * The outcomes of the calls since a breaker closed, and the rules that open it.
 *
 * Failures in a row count whatever the time between them, so that low traffic can open a breaker too. A success ends
 * the run. Every full `failureDecayMs` since the last failure removes one failure, so that one failure a day never adds
 * up.
 */
export class Evidence {
  readonly #bounds: TripBounds;
  readonly #window: OutcomeWindow;
  #failuresInRow = 0;
  #lastFailureAtMs = 0;

  constructor(bounds: TripBounds) {
    this.#bounds = bounds;
    this.#window =
      bounds.windowCalls === undefined ? new TimeWindow(bounds.windowMs) : new CountWindow(bounds.windowCalls);
  }

  /** Counts an outcome, and returns the rule that it breaks. A success ends a run of failures, a slow one too. */
  record(nowMs: number, failed: boolean, slow: boolean): TripRule | undefined {
    this.#window.record(nowMs, failed, slow);
    if (!failed) {
      this.#failuresInRow = 0;
      return slow ? this.#brokenRatio() : undefined;
    }
    this.#failuresInRow = this.#consecutiveFailures(nowMs) + 1;
    this.#lastFailureAtMs = nowMs;
    return this.#failuresInRow >= this.#bounds.failureThreshold ? 'consecutive-failures' : this.#brokenRatio();
  }

  summary(nowMs: number): EvidenceSummary {
    this.#window.forget(nowMs);
    const { calls, failures, slowCalls } = this.#window;
    return { calls, failures, slowCalls, consecutiveFailures: this.#consecutiveFailures(nowMs) };
  }

  #consecutiveFailures(nowMs: number): number {
    const decayed = Math.floor(Math.max(0, nowMs - this.#lastFailureAtMs) / this.#bounds.failureDecayMs);
    return Math.max(0, this.#failuresInRow - decayed);
  }

  #brokenRatio(): TripRule | undefined {
    const { calls, failures, slowCalls } = this.#window;
    if (calls < this.#bounds.minimumCalls) return undefined;
    if (failures * 100 >= this.#bounds.errorThresholdPercentage * calls) return 'failure-ratio';
    return slowCalls > 0 && slowCalls >= this.#bounds.slowCallRatio * calls ? 'slow-call-ratio' : undefined;
  }
}

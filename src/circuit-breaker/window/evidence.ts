import { CountWindow } from './count-window.ts';
import { FailureRun } from './failure-run.ts';
import type { OutcomeWindow } from './outcome-window.ts';
import { TimeWindow } from './time-window.ts';

/** Which rule opened a breaker. */
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

/** A look at the evidence, for snapshots. */
export interface EvidenceSummary {
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  readonly consecutiveFailures: number;
}

/** What a closed breaker knows of the calls since it closed, and the rules that open it. */
export class Evidence {
  readonly #bounds: TripBounds;
  readonly #window: OutcomeWindow;
  readonly #run: FailureRun;

  constructor(bounds: TripBounds) {
    this.#bounds = bounds;
    this.#window =
      bounds.windowCalls === undefined ? new TimeWindow(bounds.windowMs) : new CountWindow(bounds.windowCalls);
    this.#run = new FailureRun(bounds.failureDecayMs);
  }

  recordSuccess(nowMs: number): void {
    this.#run.end();
    this.#window.recordSuccess(nowMs);
  }

  /** Counts a success that took too long, and says which rule that breaks. It ends a run of failures all the same. */
  recordSlowSuccess(nowMs: number): TripRule | undefined {
    this.#run.end();
    this.#window.record(nowMs, false, true);
    return this.#brokenRatio();
  }

  /** Counts a failure and says which rule that breaks. */
  recordFailure(nowMs: number, slow: boolean): TripRule | undefined {
    this.#window.record(nowMs, true, slow);
    if (this.#run.recordFailure(nowMs) >= this.#bounds.failureThreshold) return 'consecutive-failures';
    return this.#brokenRatio();
  }

  summary(nowMs: number): EvidenceSummary {
    this.#window.forget(nowMs);
    const { calls, failures, slowCalls } = this.#window;
    return { calls, failures, slowCalls, consecutiveFailures: this.#run.length(nowMs) };
  }

  #brokenRatio(): TripRule | undefined {
    const { calls, failures, slowCalls } = this.#window;
    if (calls < this.#bounds.minimumCalls) return undefined;
    if (failures * 100 >= this.#bounds.errorThresholdPercentage * calls) return 'failure-ratio';
    return slowCalls > 0 && slowCalls >= this.#bounds.slowCallRatio * calls ? 'slow-call-ratio' : undefined;
  }
}

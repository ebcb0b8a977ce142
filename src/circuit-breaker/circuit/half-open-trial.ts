import { onAbort } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';

/** The end of a wait: it has a slot now, the trial is decided, or the time is up. */
export type WaitEnd = 'slot' | 'decided' | 'late';

export interface TrialWait {
  readonly maxWaitMs: number;
  /** Their abort ends the wait with its reason. */
  readonly signals: readonly AbortSignal[];
  readonly clock: Clock;
}

/** The verdict of a trial, once enough probes have ended. */
export type TrialVerdict = 'close' | 'open';

/**
 * Lets at most `maxCalls` probes run at once, and decides by their results. It closes as soon as `successRatio` is
 * certain, and opens as soon as it is out of reach. A neutral probe is repeated. Calls may wait for a slot.
 */
export class HalfOpenTrial {
  readonly #maxCalls: number;
  readonly #neededSuccesses: number;
  /** Resumes the waiting calls, in the order of their arrival. */
  readonly #waiting = new Set<(end: WaitEnd) => void>();
  running = 0;
  succeeded = 0;
  failed = 0;

  constructor(maxCalls: number, successRatio: number) {
    this.#maxCalls = maxCalls;
    // At least one success closes, even at a ratio of 0. The epsilon corrects 0.1 * 30 > 3.
    this.#neededSuccesses = Math.max(1, Math.ceil(maxCalls * successRatio - 1e-9));
  }

  /** Takes a slot for a probe; false when running and judged probes fill all of them. */
  admit(): boolean {
    if (this.running + this.succeeded + this.failed >= this.#maxCalls) return false;
    this.running += 1;
    return true;
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits until a slot is free or the trial is decided. */
  wait({ maxWaitMs, signals, clock }: TrialWait): Promise<WaitEnd> {
    return new Promise((resolve, reject) => {
      const detachers: (() => void)[] = [];
      const leave = () => {
        this.#waiting.delete(resume);
        clock.clearTimeout(timer);
        for (const detach of detachers) detach();
      };
      const resume = (end: WaitEnd) => {
        leave();
        resolve(end);
      };
      const timer = clock.setTimeout(() => resume('late'), maxWaitMs);
      this.#waiting.add(resume);
      for (const signal of signals) {
        const detach = onAbort(signal, (reason) => {
          leave();
          reject(reason);
        });
        detachers.push(detach);
      }
    });
  }

  /** A probe ended without a verdict: its slot goes to the first waiting call. */
  release(): void {
    this.running -= 1;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.running += 1;
    next('slot');
  }

  /** The state is over. */
  end(): void {
    for (const resume of [...this.#waiting]) resume('decided');
  }

  succeed(): TrialVerdict | undefined {
    this.running -= 1;
    this.succeeded += 1;
    return this.succeeded >= this.#neededSuccesses ? 'close' : undefined;
  }

  fail(): TrialVerdict | undefined {
    this.running -= 1;
    this.failed += 1;
    return this.failed > this.#maxCalls - this.#neededSuccesses ? 'open' : undefined;
  }
}

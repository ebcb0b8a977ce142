import type { MetricLabels } from './metric-labels.ts';

/** A started timer. */
export interface PendingTimer {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly startedAtMs: number;
}

/** Names a started timer; opaque. */
export type TimerId = number;

/** Timers between their start and their end, at most so many: the oldest make room. */
export class OperationTimers {
  readonly #maxPending: number;
  readonly #pending = new Map<TimerId, PendingTimer>();
  #lastId = 0;
  #dropped = 0;

  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Timers that never ended and made room for others. */
  get dropped(): number {
    return this.#dropped;
  }

  start(timer: PendingTimer): TimerId {
    if (this.#pending.size >= this.#maxPending) {
      const [oldest] = this.#pending.keys();
      if (oldest !== undefined) this.#pending.delete(oldest);
      this.#dropped += 1;
    }
    this.#lastId += 1;
    this.#pending.set(this.#lastId, timer);
    return this.#lastId;
  }

  /** Takes the timer out; `undefined` when there is none of that id any more. */
  take(id: TimerId): PendingTimer | undefined {
    const timer = this.#pending.get(id);
    this.#pending.delete(id);
    return timer;
  }

  clear(): void {
    this.#pending.clear();
  }
}

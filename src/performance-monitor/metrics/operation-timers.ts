import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import type { HistogramMetric, HistogramSeries } from './histogram-metric.ts';
import type { MetricLabels } from './metric-labels.ts';

/** A started timer. */
export interface PendingTimer {
  /** The histogram of its operation; undefined when nothing is recorded. */
  readonly metric: HistogramMetric | undefined;
  /** Its series, valid while the series index has the same epoch. */
  readonly series: HistogramSeries | undefined;
  readonly epoch: number | undefined;
  readonly labels: MetricLabels;
  readonly startedAtMs: number;
}

/** Names a started timer; opaque. */
export type TimerId = number;

/** Timers between their start and their end. Beyond the bound the oldest is evicted. */
export class OperationTimers {
  readonly #pending: BoundedMap<TimerId, PendingTimer>;
  #lastId = 0;
  /** Timers that never ended and were evicted; only this class writes it. */
  dropped = 0;

  constructor(maxPending: number) {
    this.#pending = new BoundedMap(maxPending, { onEvicted: () => (this.dropped += 1) });
  }

  get pending(): number {
    return this.#pending.size;
  }

  start(timer: PendingTimer): TimerId {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, timer);
    return this.#lastId;
  }

  /** Removes the timer and returns it; `undefined` when there is none with that id. */
  take(id: TimerId): PendingTimer | undefined {
    const timer = this.#pending.peek(id);
    this.#pending.delete(id);
    return timer;
  }

  clear(): void {
    this.#pending.clear();
  }
}

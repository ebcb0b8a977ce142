import type { Clock, TimerHandle } from '../internal/clock.ts';

interface SimulatedEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that runs its timers at once, in the order of their time. */
export class SimulatedClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #heap: SimulatedEvent[] = [];
  readonly #cleared = new Set<TimerHandle>();

  now(): number {
    return this.#nowMs;
  }

  setTimeout(run: () => void, delayMs: number): TimerHandle {
    this.#order += 1;
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
    return event.order;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#cleared.add(handle);
  }

  /** Runs until that time; `settle` is awaited between any two events. */
  async run(untilMs: number, settle: () => Promise<void> | undefined = () => undefined): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#removeFirst();
      if (this.#cleared.delete(next.order)) continue;
      this.#nowMs = next.atMs;
      next.run();
      const settling = settle();
      if (settling !== undefined) await settling;
    }
    this.#nowMs = untilMs;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || !isBefore(smaller, last)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (left: SimulatedEvent, right: SimulatedEvent): boolean =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);

import { Deferred } from '../../internal/async/deferred.ts';

/** The items accepted between two flushes, counted, so that a flush can wait for exactly those before it. */
export class FlushGroup {
  #pending = 0;
  #drained: Deferred<void> | undefined;

  get pending(): number {
    return this.#pending;
  }

  enter(): void {
    this.#pending += 1;
  }

  leave(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#drained?.resolve();
  }

  /** Resolves once every item that entered has left. */
  drained(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    this.#drained ??= new Deferred();
    return this.#drained.promise;
  }
}

/** The items of one turn of the event loop share a reading of the clock, and the flush that waits for them. */
export interface Tick {
  readonly atMs: number;
  readonly flushGroup: FlushGroup;
}

/** Items of one batch group that were queued in one turn of the event loop. They become due together. */
export class Arrival {
  readonly group: string;
  readonly tick: Tick;
  /** Its items that still wait. */
  size = 0;
  isDue = false;
  older: Arrival | undefined = undefined;
  newer: Arrival | undefined = undefined;

  constructor(group: string, tick: Tick) {
    this.group = group;
    this.tick = tick;
  }
}

import type { Cohort } from './arrival-group.ts';

/** What items of one turn of the event loop share: one reading of the clock, and the flush that waits for them. */
export interface Turn {
  readonly atMs: number;
  readonly cohort: Cohort;
}

/** Items of one group that were queued in one turn. They become due together. */
export class Arrival {
  readonly group: string;
  readonly turn: Turn;
  /** Its items that still wait. */
  size = 0;
  isDue = false;
  older: Arrival | undefined = undefined;
  newer: Arrival | undefined = undefined;

  constructor(group: string, turn: Turn) {
    this.group = group;
    this.turn = turn;
  }
}

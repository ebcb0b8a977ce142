import type { Cohort } from './arrival-group.ts';

/** What items of one turn of the event loop share: one reading of the clock, and the flush that waits for them. */
export interface Turn {
  readonly atMs: number;
  readonly cohort: Cohort;
}

import type { Stage } from './stage.ts';

/** Scenarios of one kind that differ by what they draw. */
export interface Family {
  readonly name: string;
  /** How many scenarios it has. */
  readonly count: number;
  /**
   * Requests may be under way at once. The order in which sockets deliver them within one moment is the system's, not
   * ours: those of one moment are sorted, and ids that count requests are left out.
   */
  readonly isConcurrent?: boolean;
  /**
   * `system` where another process takes part, which no clock of ours moves: then no times are recorded.
   * Default: virtual.
   */
  readonly time?: 'virtual' | 'system';
  /** @param index - Number of the scenario within its family, from 0. */
  readonly run: (stage: Stage, index: number) => Promise<void>;
}

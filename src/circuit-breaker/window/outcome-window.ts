/** The outcomes that still count as evidence. Calls enter when they end, never when they start. */
export interface OutcomeWindow {
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  record(nowMs: number, failed: boolean, slow: boolean): void;
  /** Drops outcomes that are too old at `nowMs`, so that a snapshot shows only what counts. */
  forget(nowMs: number): void;
}

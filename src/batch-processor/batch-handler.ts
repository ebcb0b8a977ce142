/** What a handler learns about the batch it was given. */
export interface BatchHandlerContext<Output> {
  /**
   * Aborts when no item of the batch is wanted any more (all aborted or timed out), when the handler exceeds
   * `handlerTimeoutMs`, and on `destroy`. Pass it on to whatever the handler calls.
   */
  readonly signal: AbortSignal;
  /** 1 for the first try; a retry has only the items that failed. */
  readonly attempt: number;
  /** Settles one item before the batch is over; what the handler returns for it is then ignored. */
  resolve(index: number, output: Output): void;
  /** Tells whether someone still waits for that item. */
  isLive(index: number): boolean;
  /** A signal for part of a batch: aborts when none of these items is wanted any more, or with `signal`. */
  signalFor(indexes: readonly number[]): AbortSignal;
}

/**
 * Does the work of a batch: one result an item, in the order of the items, each a value or an `Error`.
 * What it throws fails every item of the batch.
 */
export type BatchHandler<Input, Output> = (
  items: readonly Input[],
  context: BatchHandlerContext<Output>,
) => PromiseLike<readonly (Output | Error)[]> | readonly (Output | Error)[];

/** Tells an error result from a value, also one from another realm or of another copy of a library. */
export function isErrorResult(result: unknown): result is Error {
  if (typeof result !== 'object' || result === null) return false;
  return result instanceof Error || Object.prototype.toString.call(result) === '[object Error]';
}

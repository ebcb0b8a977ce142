/** The context of a batch that its handler gets. */
export interface BatchHandlerContext<Output> {
  /**
   * Aborts when no caller waits for an item of the batch (all aborted or timed out). Also when the handler exceeds
   * `handlerTimeoutMs`, and on `destroy`. Pass it on to whatever the handler calls.
   */
  readonly signal: AbortSignal;
  /** 1 for the first try. A retry has only the items that failed. */
  readonly attempt: number;
  /**
   * Settles one item before the batch ends; the handler's result for it is then ignored. A promise settles the item
   * when it is fulfilled. Where it rejects, the handler's result counts.
   */
  readonly resolve: (index: number, output: Output | PromiseLike<Output>) => void;
  /** Tells whether someone still waits for that item. */
  readonly isLive: (index: number) => boolean;
  /** A signal for part of a batch: aborts when no caller waits for these items, or with `signal`. */
  readonly signalFor: (indexes: readonly number[]) => AbortSignal;
  /**
   * Lets the next batch start although this one still runs. It is for a handler with a queue of its own, which bounds
   * the requests that run. `maxConcurrentBatches` then bounds those that wait there, and batches fill meanwhile.
   */
  readonly yieldPlace: () => void;
}

/**
 * The result of one item: a value, an `Error`, or a promise of either, which fails the item alone when it rejects.
 */
export type BatchResult<Output> = Output | Error | PromiseLike<Output | Error>;

/**
 * Does the work of a batch: one result an item, in the order of the items. An error that it throws fails every
 * item of the batch.
 */
export type BatchHandler<Input, Output> = (
  items: readonly Input[],
  context: BatchHandlerContext<Output>,
) => PromiseLike<readonly BatchResult<Output>[]> | readonly BatchResult<Output>[];

/** Tells whether a result is an error, also of another realm or another copy of a library. Never throws. */
export function isErrorResult(result: unknown): result is Error {
  if (typeof result !== 'object' || result === null) return false;
  try {
    return result instanceof Error || Object.prototype.toString.call(result) === '[object Error]';
  } catch {
    return false;
  }
}

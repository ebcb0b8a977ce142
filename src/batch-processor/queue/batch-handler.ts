/** The context of a batch that its handler gets. */
export interface BatchHandlerContext<Output> {
  /**
   * Aborts when no item of the batch is wanted any more (all aborted or timed out), when the handler exceeds
   * `handlerTimeoutMs`, and on `destroy`. Pass it on to whatever the handler calls.
   */
  readonly signal: AbortSignal;
  /** 1 for the first try; a retry has only the items that failed. */
  readonly attempt: number;
  /**
   * Settles one item before the batch is over; what the handler returns for it is then ignored. A promise settles it
   * when it is fulfilled; rejected, it leaves the item to what the handler returns.
   */
  readonly resolve: (index: number, output: Output | PromiseLike<Output>) => void;
  /** Tells whether someone still waits for that item. */
  readonly isLive: (index: number) => boolean;
  /** A signal for part of a batch: aborts when none of these items is wanted any more, or with `signal`. */
  readonly signalFor: (indexes: readonly number[]) => AbortSignal;
  /**
   * Lets the next batch start although this one still runs. For a handler with a queue of its own, which bounds the
   * requests that run: `maxConcurrentBatches` then bounds those that wait there, and batches fill meanwhile.
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

/** Tells an error result from a value, also one from another realm or of another copy of a library. Never throws. */
export function isErrorResult(result: unknown): result is Error {
  if (typeof result !== 'object' || result === null) return false;
  try {
    return result instanceof Error || Object.prototype.toString.call(result) === '[object Error]';
  } catch {
    return false;
  }
}

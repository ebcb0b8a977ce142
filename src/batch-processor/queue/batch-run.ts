import { BatchHandlerError } from '../../errors/batch-handler-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { durationText } from '../../errors/duration-text.ts';
import { answerNow, ignoreRejection, isPromiseLike } from '../../internal/async/user-callback.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';
import { type BatchHandler, type BatchHandlerContext, type BatchResult, isErrorResult } from './batch-handler.ts';
import type { BatchItem, ItemHolder } from './batch-item.ts';

/** The outcome of one call of the handler: results in order, or one failure for all. */
export type HandlerOutcome<Output> =
  | { readonly kind: 'results'; readonly results: readonly (Output | Error)[] }
  /** `error` is what the items get; `thrown` is what the retry policy judges. */
  | { readonly kind: 'failure'; readonly error: Error; readonly thrown: unknown }
  /** No item waits for it. */
  | { readonly kind: 'abandoned' };

interface PartSignal<Input, Output> {
  readonly items: Set<BatchItem<Input, Output>>;
  readonly controller: AbortController;
}

export interface BatchRunHooks<Input, Output> {
  /** An item got its value before the batch was over. */
  readonly onResolved: (item: BatchItem<Input, Output>, output: Output) => void;
  /** An item was dropped before its result; `run.live` counts the others. */
  readonly onDropped: (run: BatchRun<Input, Output>) => void;
  /** The run gave up its handler's slot. */
  readonly onYielded: () => void;
}

/** One batch, from its items to the outcome of one call of the handler. */
export class BatchRun<Input, Output> implements ItemHolder<Input, Output>, BatchHandlerContext<Output> {
  /** Never freed, for the reason that `BatchItem.kept` gives. */
  static readonly kept: BatchRun<unknown, unknown> = new BatchRun<unknown, unknown>([], 1, {
    onResolved: () => {},
    onDropped: () => {},
    onYielded: () => {},
  });
  readonly items: readonly BatchItem<Input, Output>[];
  readonly attempt: number;
  /** Whether the handler settled an item before its end. */
  answered = false;
  /** Whether it runs without a handler's slot. */
  yielded = false;
  /** Whether it keeps a handler's slot while it is delayed. */
  keepsSlot = false;
  /** Whether no new batch starts while it is delayed. */
  stopsIntake = false;
  readonly #hooks: BatchRunHooks<Input, Output>;
  readonly #parts: PartSignal<Input, Output>[] = [];
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #live: number;
  #timer: TimerHandle | undefined;
  #resolve: ((outcome: HandlerOutcome<Output>) => void) | undefined;

  constructor(items: readonly BatchItem<Input, Output>[], attempt: number, hooks: BatchRunHooks<Input, Output>) {
    this.items = items;
    this.attempt = attempt;
    this.#hooks = hooks;
    this.#live = items.length;
    for (const item of items) item.holder = this;
  }

  get live(): number {
    return this.#live;
  }

  // Created at first use: a handler that reads no signal does not pay for one.
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  // Arrow functions, because handlers destructure their context.
  readonly resolve = (index: number, output: Output | PromiseLike<Output>): void => {
    const item = this.items[index];
    if (item === undefined || item.settled || item.holder !== this) return;
    if (isPromiseLike(output)) {
      // A rejection is ignored: the handler's result for the item counts.
      void Promise.resolve(output).then(
        (value) => this.resolve(index, value),
        () => {},
      );
      return;
    }
    this.answered = true;
    this.release(item);
    this.#hooks.onResolved(item, output);
  };

  readonly isLive = (index: number): boolean => this.items[index]?.settled === false;

  readonly signalFor = (indexes: readonly number[]): AbortSignal => {
    const items = new Set(indexes.flatMap((index) => this.items[index] ?? []).filter(({ settled }) => !settled));
    const controller = new AbortController();
    if (this.#aborted !== undefined) controller.abort(this.#aborted.reason);
    else this.#parts.push({ items, controller });
    return controller.signal;
  };

  readonly yieldPlace = (): void => {
    if (this.yielded || this.#resolve === undefined) return;
    this.yielded = true;
    this.#hooks.onYielded();
  };

  drop(item: BatchItem<Input, Output>, reason: unknown): void {
    this.release(item);
    for (const { items, controller } of this.#parts) {
      if (items.size === 0 && !controller.signal.aborted) controller.abort(reason);
    }
    if (this.#live === 0) {
      this.#abort(reason);
      unreference(this.#timer);
    }
    this.#hooks.onDropped(this);
  }

  /** Takes an item out of this run without an abort: it has its result, or moves to another run. */
  release(item: BatchItem<Input, Output>): void {
    item.holder = undefined;
    this.#live -= 1;
    if (this.#parts.length > 0) for (const { items } of this.#parts) items.delete(item);
  }

  /** Calls the handler once, in a later microtask, and waits for its end or for `timeoutMs`. Never rejects. */
  perform(handler: BatchHandler<Input, Output>, timeoutMs: number, clock: Clock): Promise<HandlerOutcome<Output>> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#timer = clock.setTimeout(() => this.#expire(timeoutMs, clock), timeoutMs);
      const inputs = this.items.map(({ input }) => input);
      const handled = Promise.resolve().then(() => (this.#live === 0 ? [] : handler(inputs, this)));
      handled
        .then((results) => this.#judge(results))
        .then(
          (outcome) => this.#end(outcome, clock),
          (thrown: unknown) => this.#end(failureOf(thrown), clock),
        );
    });
  }

  /** Gives up on the handler: aborts it and waits no longer. */
  abandon(reason: unknown, clock: Clock): void {
    this.#abort(reason);
    this.#end({ kind: 'abandoned' }, clock);
  }

  #expire(timeoutMs: number, clock: Clock): void {
    const message = `the handler did not settle within handlerTimeoutMs (${durationText(timeoutMs)})`;
    const error = new BatchHandlerError(message, { retryable: true });
    this.#end({ kind: 'failure', error, thrown: error }, clock);
    this.#abort(error);
  }

  #end(outcome: HandlerOutcome<Output>, clock: Clock): void {
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#resolve?.(outcome);
    this.#resolve = undefined;
  }

  /** @throws the errors of hostile results while they are read. Afterwards they are plain values. */
  #judge(results: unknown): HandlerOutcome<Output> | Promise<HandlerOutcome<Output>> {
    if (this.#live === 0 || this.#resolve === undefined) {
      ignoreResults(results);
      return { kind: 'abandoned' };
    }
    if (Array.isArray(results) && results.length === this.items.length) {
      const each: BatchResult<Output>[] = [...results];
      if (!hasPromise(each)) return { kind: 'results', results: each as (Output | Error)[] };
      return Promise.all(each.map(settledResult)).then((settled) => ({ kind: 'results', results: settled }));
    }
    const got = Array.isArray(results) ? `${results.length} results` : 'no array of results';
    ignoreResults(results);
    const error = new BatchHandlerError(`the handler gave ${got} for ${this.items.length} items`);
    return { kind: 'failure', error, thrown: error };
  }

  #abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
    for (const { controller } of this.#parts) controller.abort(reason);
  }
}

/** These results are not used. Promises among them may reject, and must not end the process. */
function ignoreResults(results: unknown): void {
  if (typeof results !== 'object' || results === null) return;
  const each = results instanceof Set || results instanceof Map ? results.values() : Object.values(results);
  for (const result of each) answerNow(ignoreRejection, result, false);
}

/** Tells whether one of them is a promise. A result that cannot be read is replaced by an error. */
function hasPromise(results: unknown[]): boolean {
  let found = false;
  for (let index = 0; index < results.length; index += 1) {
    try {
      if (isPromiseLike(results[index])) found = true;
    } catch (cause) {
      results[index] = new BatchHandlerError('a result of the handler threw when it was read', { cause });
    }
  }
  return found;
}

/** The result that a promise settles with; its rejection is the item's error. */
async function settledResult<Output>(result: BatchResult<Output>): Promise<Output | Error> {
  try {
    return await result;
  } catch (error) {
    if (isErrorResult(error)) return error;
    return new BatchHandlerError('the promise of an item was rejected', { cause: error, retryable: true });
  }
}

const failureOf = (thrown: unknown) => ({ kind: 'failure', error: asHandlerError(thrown), thrown }) as const;

function asHandlerError(thrown: unknown): Error {
  if (answerNow(isDescribeError, thrown, false)) return thrown as DescribeError;
  return new BatchHandlerError('the handler threw', { cause: thrown, retryable: true });
}

const isDescribeError = (thrown: unknown): boolean => DescribeError.is(thrown);

/** Lets the process end although this timer is pending: no item waits for it any more. */
function unreference(timer: TimerHandle | undefined): void {
  if (typeof timer === 'object' && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
}

import type { Clock } from '../internal/clock.ts';
import {
  callable,
  clockOption,
  finiteNumber,
  integer,
  milliseconds,
  type OptionChecks,
  oneOf,
  shape,
  whichever,
} from '../internal/options/option-checks.ts';
import { fromVariable, type Settings, withDefault } from '../internal/options/option-spec.ts';
import { BATCH_RETRY_SPEC, type BatchRetryOptions } from './queue/batch-retry.ts';

export interface BatchProcessorOptions<Input> {
  /** Most items a batch; a full batch goes without waiting. A whole number of at least 1. @defaultValue 5 */
  readonly batchSize?: number | undefined;
  /**
   * Milliseconds, at least 0, that an item waits for its batch to fill. With 0, a batch holds the items of one turn of
   * the event loop. While all handlers are busy, an item waits on, whatever this bound.
   * @defaultValue 200
   */
  readonly maxBatchWaitMs?: number | undefined;
  /** Most handlers at a time; a whole number of at least 1. @defaultValue 2 */
  readonly maxConcurrentBatches?: number | undefined;
  /** Most items that wait for a batch or for their next try; a whole number of at least 1. @defaultValue 10000 */
  readonly maxQueueSize?: number | undefined;
  /**
   * What happens to a new item while the queue is full: `'reject'` rejects it at once; `'wait'` lets it wait for
   * capacity, in the same order as the queue.
   * @defaultValue 'reject'
   */
  readonly onQueueFull?: 'reject' | 'wait' | undefined;
  /**
   * Most items that wait for capacity with `onQueueFull: 'wait'`; at least 1. More items are rejected.
   * @defaultValue 100000
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Milliseconds of waiting that count as one step of priority, at least 1, so that nothing starves. An item of a
   * priority n steps higher overtakes another only if it comes within n times this time. @defaultValue 5000
   */
  readonly ageingMs?: number | undefined;
  /**
   * Weight of an item (tokens, bytes), a finite number of at least 0. An error that it throws rejects the item.
   * @defaultValue every item weighs 1
   */
  readonly weigh?: ((input: Input) => number) | undefined;
  /**
   * Most weight a batch, above 0; a batch that reaches it goes without waiting. A heavier item goes alone.
   * @defaultValue no bound
   */
  readonly maxBatchWeight?: number | undefined;
  /**
   * Items of different groups never share a batch. An error that it throws rejects the item.
   * @defaultValue one group
   */
  readonly groupBy?: ((input: Input) => string) | undefined;
  /**
   * Retry of the failed items of a batch, without those that succeeded; `false` for none. A batch that failed as a
   * whole keeps its handler's slot during the delay. So an outage slows the queue down, instead of failing it.
   * @defaultValue false
   */
  readonly retry?: BatchRetryOptions | false | undefined;
  /**
   * Milliseconds, at least 1, that one call of the handler may take. Then its items fail, its signal aborts and its
   * slot is free. A handler that ignores its signal keeps its slot until it settles or this has passed.
   * @defaultValue 120000
   */
  readonly handlerTimeoutMs?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

export const batchRetryOption = whichever([[(value) => value === false, () => []]], shape(BATCH_RETRY_SPEC));

/** Shared with processors that extend this one. */
export const BATCH_SPEC = {
  batchSize: fromVariable('BATCH_SIZE', withDefault(integer({ min: 1 }), 5)),
  maxBatchWaitMs: fromVariable('BATCH_WAIT_MS', withDefault(milliseconds({ min: 0 }), 200)),
  maxConcurrentBatches: withDefault(integer({ min: 1 }), 2),
  maxQueueSize: withDefault(integer({ min: 1 }), 10_000),
  onQueueFull: withDefault(oneOf('reject', 'wait'), 'reject'),
  maxWaiting: withDefault(integer({ min: 1 }), 100_000),
  ageingMs: withDefault(milliseconds(), 5_000),
  weigh: callable(),
  maxBatchWeight: withDefault(finiteNumber({ min: Number.MIN_VALUE }), Number.POSITIVE_INFINITY),
  groupBy: callable(),
  retry: withDefault(batchRetryOption, false),
  handlerTimeoutMs: withDefault(milliseconds(), 120_000),
  clock: clockOption,
} satisfies OptionChecks<BatchProcessorOptions<unknown>>;

/** Every option with its default. `retry` is left out: it has a class of its own. */
export type BatchSettings<Input> = Settings<BatchProcessorOptions<Input>, typeof BATCH_SPEC>;

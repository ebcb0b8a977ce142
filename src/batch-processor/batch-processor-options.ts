import { type Clock, systemClock } from '../internal/clock.ts';
import {
  callable,
  checkOptions,
  finiteNumber,
  integer,
  milliseconds,
  type OptionChecks,
  oneOf,
  shape,
  whichever,
  withMethods,
} from '../internal/options/option-checks.ts';
import { type BatchRetryOptions, RETRY_CHECKS } from './queue/batch-retry.ts';

export interface BatchProcessorOptions<Input> {
  /** Most items a batch; a full batch goes without waiting. A whole number of at least 1. @defaultValue 5 */
  readonly batchSize?: number | undefined;
  /**
   * Milliseconds, at least 0, that an item waits for its batch to fill; 0 batches what one turn of the event loop
   * brings. It bounds the wait for company only: with all handlers busy an item waits on. @defaultValue 200
   */
  readonly maxBatchWaitMs?: number | undefined;
  /** Most handlers at a time; a whole number of at least 1. @defaultValue 2 */
  readonly maxConcurrentBatches?: number | undefined;
  /** Most items that wait for a batch or for their next try; a whole number of at least 1. @defaultValue 10000 */
  readonly maxQueueSize?: number | undefined;
  /**
   * What a full queue does to a new item: `'reject'` rejects it at once, `'wait'` keeps it in a line, in the same
   * order as the queue, until there is room. @defaultValue 'reject'
   */
  readonly onQueueFull?: 'reject' | 'wait' | undefined;
  /**
   * Most items that wait for room with `onQueueFull: 'wait'`; at least 1. Beyond, they are rejected.
   * @defaultValue 100000
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Milliseconds of waiting that count as one step of priority, at least 1: an item is overtaken by one of a priority
   * n steps higher only if that one comes within n times this time, so nothing starves. @defaultValue 5000
   */
  readonly ageingMs?: number | undefined;
  /**
   * Weight of an item (tokens, bytes), a finite number of at least 0. What it throws rejects the item.
   * @defaultValue every item weighs 1
   */
  readonly weigh?: ((input: Input) => number) | undefined;
  /**
   * Most weight a batch, above 0; what reaches it goes without waiting. An item that is heavier goes alone.
   * @defaultValue no bound
   */
  readonly maxBatchWeight?: number | undefined;
  /** Items of different groups never share a batch. What it throws rejects the item. @defaultValue one group */
  readonly groupBy?: ((input: Input) => string) | undefined;
  /**
   * Retry of the failed items of a batch, without those that succeeded; `false` for none. A batch of which every item
   * failed keeps its handler's place during the delay, so that an outage slows the queue down in place of failing it.
   * @defaultValue false
   */
  readonly retry?: BatchRetryOptions | false | undefined;
  /**
   * Milliseconds, at least 1, that one call of the handler may take. Then its items fail, its signal aborts and its
   * place is free. A handler that ignores its signal keeps its place until it settles or this has passed.
   * @defaultValue 120000
   */
  readonly handlerTimeoutMs?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/** Every option as it holds; `retry` apart, which has a class of its own. */
export interface BatchSettings<Input> {
  readonly batchSize: number;
  readonly maxBatchWaitMs: number;
  readonly maxConcurrentBatches: number;
  readonly maxQueueSize: number;
  readonly onQueueFull: 'reject' | 'wait';
  readonly maxWaiting: number;
  readonly ageingMs: number;
  readonly weigh: ((input: Input) => number) | undefined;
  readonly maxBatchWeight: number;
  readonly groupBy: ((input: Input) => string) | undefined;
  readonly handlerTimeoutMs: number;
  readonly retry: BatchRetryOptions | false | undefined;
  readonly clock: Clock;
}

const DEFAULTS = {
  batchSize: 5,
  maxBatchWaitMs: 200,
  maxConcurrentBatches: 2,
  maxQueueSize: 10_000,
  onQueueFull: 'reject',
  maxWaiting: 100_000,
  ageingMs: 5_000,
  retry: false,
  handlerTimeoutMs: 120_000,
} as const satisfies BatchProcessorOptions<unknown>;

/** Checks shared with processors that extend this one. */
export const BATCH_CHECKS: OptionChecks<BatchProcessorOptions<unknown>> = {
  batchSize: integer({ min: 1 }),
  maxBatchWaitMs: milliseconds({ min: 0 }),
  maxConcurrentBatches: integer({ min: 1 }),
  maxQueueSize: integer({ min: 1 }),
  onQueueFull: oneOf('reject', 'wait'),
  maxWaiting: integer({ min: 1 }),
  ageingMs: milliseconds(),
  weigh: callable(),
  maxBatchWeight: finiteNumber({ min: Number.MIN_VALUE }),
  groupBy: callable(),
  retry: whichever([[(value) => value === false, () => []]], shape(RETRY_CHECKS)),
  handlerTimeoutMs: milliseconds(),
  clock: withMethods('a Clock', 'now', 'setTimeout', 'clearTimeout'),
};

/** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
export function batchSettings<Input>(options: BatchProcessorOptions<Input>): BatchSettings<Input> {
  const own = checkOptions('BatchProcessor', options, BATCH_CHECKS);
  const {
    batchSize = DEFAULTS.batchSize,
    maxBatchWaitMs = DEFAULTS.maxBatchWaitMs,
    maxConcurrentBatches = DEFAULTS.maxConcurrentBatches,
    maxQueueSize = DEFAULTS.maxQueueSize,
    onQueueFull = DEFAULTS.onQueueFull,
    maxWaiting = DEFAULTS.maxWaiting,
    ageingMs = DEFAULTS.ageingMs,
    weigh,
    maxBatchWeight = Number.POSITIVE_INFINITY,
    groupBy,
    handlerTimeoutMs = DEFAULTS.handlerTimeoutMs,
    retry,
    clock = systemClock,
  } = own;
  return {
    batchSize,
    maxBatchWaitMs,
    maxConcurrentBatches,
    maxQueueSize,
    onQueueFull,
    maxWaiting,
    ageingMs,
    weigh,
    maxBatchWeight,
    groupBy,
    handlerTimeoutMs,
    retry,
    clock,
  };
}

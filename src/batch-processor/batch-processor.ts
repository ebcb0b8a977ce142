import { ClosedError } from '../errors/closed-error.ts';
import { ConfigError } from '../errors/config-error.ts';
import { InputError } from '../errors/input-error.ts';
import { QueueFullError } from '../errors/queue-full-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { SignalWatch } from '../internal/async/signals.ts';
import { ignoreRejection } from '../internal/async/user-callback.ts';
import { MAX_TIMER_DELAY_MS } from '../internal/clock.ts';
import { PriorityQueue } from '../internal/collections/priority-queue.ts';
import { checkOptions, describeKind, wrongInput } from '../internal/options/option-checks.ts';
import { callOptions } from '../internal/options/own-options.ts';
import { BATCH_SPEC, type BatchProcessorOptions, type BatchSettings } from './batch-processor-options.ts';
import { FlushGroup, type Tick } from './queue/arrival.ts';
import type { BatchHandler } from './queue/batch-handler.ts';
import { BatchItem, type ItemHolder } from './queue/batch-item.ts';
import { type BatchMetrics, BatchMetricsRecorder } from './queue/batch-metrics.ts';
import { BatchRetry } from './queue/batch-retry.ts';
import { BatchScheduler } from './queue/batch-scheduler.ts';

export interface ProcessOptions {
  /** Higher goes first; a finite number. Waiting raises it, see `ageingMs`. @defaultValue 0 */
  readonly priority?: number | undefined;
  /** Ends the item at any point; its promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, above 0, from this call to the result, waits and retries included. @defaultValue no bound */
  readonly timeoutMs?: number | undefined;
}

const NAME = 'the batch processor';

/**
 * Hands items to `handler` in batches and gives each caller its own result. Every promise settles exactly once. Higher
 * priority goes first, equal ones in the order of their calls, and nothing starves. At most `maxConcurrentBatches`
 * handlers run.
 *
 * @example
 * ```ts
 * import { BatchProcessor } from '@describe-it/sdk/batch-processor';
 *
 * const lengths = new BatchProcessor(async (words: readonly string[]) => words.map((word) => word.length), {
 *   batchSize: 10,
 *   maxBatchWaitMs: 50,
 * });
 * const length = await lengths.process('batch', { priority: 1, timeoutMs: 5_000 });
 * await lengths.close();
 * ```
 */
export class BatchProcessor<Input, Output> {
  readonly #settings: BatchSettings<Input>;
  readonly #scheduler: BatchScheduler<Input, Output>;
  /** Items that wait for capacity in the full queue, in the queue's own order. */
  readonly #overflow: PriorityQueue<BatchItem<Input, Output>>;
  readonly #overflowHolder: ItemHolder<Input, Output> = { drop: (item) => this.#overflow.remove(item) };
  readonly #signals: SignalWatch<BatchItem<Input, Output>>;
  readonly #metrics = new BatchMetricsRecorder();
  readonly #flushing = new Set<FlushGroup>();
  #flushGroup = new FlushGroup();
  #tick: Tick | undefined;
  #outstanding = 0;
  #sequence = 0;
  #open = true;
  #idle: Deferred<void> | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(handler: BatchHandler<Input, Output>, options: BatchProcessorOptions<Input> = {}) {
    if (typeof handler !== 'function') {
      throw new ConfigError('BatchProcessor', [
        { option: 'handler', expected: 'a function', got: describeKind(handler) },
      ]);
    }
    this.#settings = checkOptions('BatchProcessor', options, BATCH_SPEC);
    this.#overflow = new PriorityQueue(this.#settings.ageingMs);
    const { retry: retryOptions } = this.#settings;
    const retry = retryOptions ? new BatchRetry(retryOptions) : undefined;
    this.#scheduler = new BatchScheduler(handler, this.#settings, retry, this.#metrics, {
      onSettled: (item) => this.#leave(item),
      onCapacity: () => this.#admit(),
      onConcluded: () => this.#resolveWhenIdle(),
    });
    this.#signals = new SignalWatch((item, reason) => {
      if (this.#cancel(item, reason)) this.#metrics.aborted += 1;
    });
  }

  /**
   * Settles with the handler's result for this input.
   * @throws `DESCRIBE_CLOSED` after `close()` or `destroy()`
   * @throws `DESCRIBE_QUEUE_FULL` when the queue is full
   * @throws `DESCRIBE_TIMEOUT` after `timeoutMs`
   * @throws `DESCRIBE_BATCH_HANDLER` when the handler threw, gave the wrong number of results or did not settle
   * @throws `DESCRIBE_INPUT_INVALID` for a wrong `priority`, `timeoutMs`, `signal` or weight
   * @throws the error that the handler returned for this input, or the reason of `signal`
   */
  process(input: Input, given: ProcessOptions = {}): Promise<Output> {
    const options = callOptions(given);
    try {
      if (!this.#open) throw new ClosedError(NAME);
      if (options.signal?.aborted) throw options.signal.reason;
      const item = this.#makeItem(input, options);
      // `weigh` and `groupBy` may have aborted the signal or closed the processor.
      options.signal?.throwIfAborted();
      if (!this.#open) throw new ClosedError(NAME);
      this.#accept(item, options);
      return item.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends the waiting items without waiting for batches to fill; resolves when every item so far has settled. */
  flush(): Promise<void> {
    const group = this.#flushGroup;
    if (group.pending > 0) {
      this.#flushGroup = new FlushGroup();
      this.#tick = undefined;
      this.#flushing.add(group);
      void group.drained().then(() => this.#flushing.delete(group));
      this.#scheduler.flush(this.#sequence);
    }
    return Promise.all([...this.#flushing].map((flushing) => flushing.drained())).then(() => {});
  }

  /** A fresh frozen snapshot. */
  getMetrics(): BatchMetrics {
    return this.#metrics.snapshot({ ...this.#scheduler.gauges, waitingForRoom: this.#overflow.size });
  }

  /** Refuses new items, sends those that wait, and resolves when every item has settled and every handler has ended. */
  close(): Promise<void> {
    this.#open = false;
    this.#idle ??= new Deferred();
    void this.flush();
    this.#resolveWhenIdle();
    return this.#idle.promise;
  }

  /**
   * Refuses new items, rejects every item with `reason` and aborts every handler; resolves without waiting for them.
   */
  destroy(reason: unknown = new ClosedError(NAME)): Promise<void> {
    this.#open = false;
    const items = this.#scheduler.items();
    for (const item of [...items, ...this.#overflow.items()]) this.#cancel(item, reason);
    this.#scheduler.abandon(reason);
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #makeItem(input: Input, { priority = 0, timeoutMs, signal }: ProcessOptions): BatchItem<Input, Output> {
    if (!Number.isFinite(priority)) throw wrongInput('priority', 'a finite number', priority);
    if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs <= MAX_TIMER_DELAY_MS)) {
      throw wrongInput('timeoutMs', `milliseconds above 0, at most ${MAX_TIMER_DELAY_MS}`, timeoutMs);
    }
    if (signal !== undefined && typeof signal.throwIfAborted !== 'function') {
      throw wrongInput('signal', 'an AbortSignal', signal, describeKind);
    }
    const { weigh, groupBy } = this.#settings;
    const weight = weigh === undefined ? 1 : weightOf(weigh, input);
    const group = groupBy === undefined ? '' : groupOf(groupBy, input);
    this.#sequence += 1;
    return new BatchItem(input, group, weight, priority, this.#sequence, this.#thisTick());
  }

  /** One reading of the clock serves all calls of a turn of the event loop. */
  #thisTick(): Tick {
    this.#tick ??= this.#beginTick();
    return this.#tick;
  }

  /** Apart, as `#startTimer` is: a function that holds a closure allocates a context on each call. */
  #beginTick(): Tick {
    queueMicrotask(() => {
      this.#tick = undefined;
    });
    return { atMs: this.#settings.clock.now(), flushGroup: this.#flushGroup };
  }

  #accept(item: BatchItem<Input, Output>, { signal, timeoutMs }: ProcessOptions): void {
    const { maxQueueSize, onQueueFull, maxWaiting } = this.#settings;
    // The scheduler sends once a turn. Items that it can send now do not fill the queue.
    if (this.#scheduler.depth >= maxQueueSize) this.#scheduler.pump();
    const full = this.#scheduler.depth >= maxQueueSize;
    if (full) this.#refuseUnless(onQueueFull === 'wait', 'maxQueueSize', maxQueueSize);
    if (full) this.#refuseUnless(this.#overflow.size < maxWaiting, 'maxWaiting', maxWaiting);
    this.#metrics.accepted += 1;
    this.#outstanding += 1;
    item.accepted.flushGroup.enter();
    if (signal !== undefined) this.#signals.add(signal, item);
    if (timeoutMs !== undefined) this.#startTimer(item, timeoutMs);
    if (!full) {
      this.#scheduler.add(item);
      return;
    }
    item.holder = this.#overflowHolder;
    this.#overflow.add(item);
  }

  #refuseUnless(fits: boolean, option: string, limit: number): void {
    if (fits) return;
    this.#metrics.turnedAway += 1;
    throw new QueueFullError('the batch queue', option, limit);
  }

  #startTimer(item: BatchItem<Input, Output>, timeoutMs: number): void {
    item.timer = this.#settings.clock.setTimeout(() => {
      if (this.#cancel(item, new TimeoutError('the batch item', timeoutMs))) this.#metrics.timedOut += 1;
    }, timeoutMs);
  }

  /** Ends an item early, in the queue or in its batch. */
  #cancel(item: BatchItem<Input, Output>, reason: unknown): boolean {
    const { holder } = item;
    if (!item.fail(reason)) return false;
    holder?.drop(item, reason);
    this.#scheduler.forget();
    this.#leave(item);
    this.#admit();
    this.#resolveWhenIdle();
    return true;
  }

  /** Undoes what `#accept` did for an item that has settled. */
  #leave(item: BatchItem<Input, Output>): void {
    if (item.signal !== undefined) this.#signals.remove(item);
    if (item.timer !== undefined) this.#settings.clock.clearTimeout(item.timer);
    item.accepted.flushGroup.leave();
    this.#outstanding -= 1;
  }

  /** Moves overflowing items into the queue as far as it has capacity. */
  #admit(): void {
    const { maxQueueSize } = this.#settings;
    while (this.#overflow.size > 0 && this.#scheduler.depth < maxQueueSize) {
      const item = this.#overflow.shift();
      if (item === undefined) return;
      item.queued = this.#thisTick();
      this.#scheduler.add(item);
    }
  }

  #resolveWhenIdle(): void {
    if (this.#outstanding === 0 && this.#scheduler.activeBatches === 0) this.#idle?.resolve();
  }
}

function weightOf<Input>(weigh: (input: Input) => number, input: Input): number {
  const weight = weigh(input);
  if (Number.isFinite(weight) && weight >= 0) return weight;
  ignoreRejection(weight);
  throw wrongInput('weigh', 'to give a finite number of at least 0', weight);
}

function groupOf<Input>(groupBy: (input: Input) => string, input: Input): string {
  const group = groupBy(input);
  if (ignoreRejection(group)) throw new InputError('groupBy', 'expected to give a string, got a promise');
  return group;
}

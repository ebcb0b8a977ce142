import type { Clock, TimerHandle } from '../../internal/clock.ts';
import { type BatchHandler, isErrorResult } from './batch-handler.ts';
import type { BatchItem } from './batch-item.ts';
import type { BatchGauges, BatchMetricsRecorder } from './batch-metrics.ts';
import { BatchQueue, type BatchQueueLimits } from './batch-queue.ts';
import { type BatchRetry, longestRetryAfterMs } from './batch-retry.ts';
import { BatchRun, type BatchRunHooks, type HandlerOutcome } from './batch-run.ts';

export interface BatchSchedulerSettings extends BatchQueueLimits {
  readonly maxConcurrentBatches: number;
  readonly handlerTimeoutMs: number;
  readonly clock: Clock;
}

export interface BatchSchedulerHooks<Input, Output> {
  /** The scheduler settled this item. */
  readonly onSettled: (item: BatchItem<Input, Output>) => void;
  /** Waiting items became fewer. */
  readonly onCapacity: () => void;
  /** A handler ended. */
  readonly onConcluded: () => void;
}

/** Decides when a batch starts, runs it, and brings its failed items back after a delay. */
export class BatchScheduler<Input, Output> {
  readonly #handler: BatchHandler<Input, Output>;
  readonly #settings: BatchSchedulerSettings;
  readonly #retry: BatchRetry | undefined;
  readonly #metrics: BatchMetricsRecorder;
  readonly #hooks: BatchSchedulerHooks<Input, Output>;
  readonly #runHooks: BatchRunHooks<Input, Output>;
  readonly #queue: BatchQueue<Input, Output>;
  /**
   * In no order. An array, because a Set that shrinks and grows keeps its dead tables, and all that they held, until a
   * full GC.
   */
  readonly #running: BatchRun<Input, Output>[] = [];
  readonly #delayed = new Map<BatchRun<Input, Output>, TimerHandle>();
  /** Retries whose delay is over; they go before fresh batches. */
  readonly #retries = new Set<BatchRun<Input, Output>>();
  #retryingItems = 0;
  /** Running batches that gave up their slot. */
  #yielded = 0;
  /** Slots that delayed runs keep. */
  #keptSlots = 0;
  /** Delayed runs that keep new batches from starting. */
  #stops = 0;
  #pumpScheduled = false;
  #timer: { readonly handle: TimerHandle; readonly dueAtMs: number } | undefined;

  constructor(
    handler: BatchHandler<Input, Output>,
    settings: BatchSchedulerSettings,
    retry: BatchRetry | undefined,
    metrics: BatchMetricsRecorder,
    hooks: BatchSchedulerHooks<Input, Output>,
  ) {
    this.#handler = handler;
    this.#settings = settings;
    this.#retry = retry;
    this.#metrics = metrics;
    this.#hooks = hooks;
    this.#queue = new BatchQueue(settings);
    this.#runHooks = {
      onResolved: (item, output) => this.#succeed(item, output, this.#settings.clock.now()),
      onDropped: (run) => this.#forgetDropped(run),
      onYielded: () => {
        this.#yielded += 1;
        this.#pumpSoon();
      },
    };
  }

  /** Items that wait for a batch or for their next try: what `maxQueueSize` bounds. */
  get depth(): number {
    return this.#queue.size + this.#retryingItems;
  }

  get gauges(): Omit<BatchGauges, 'waitingForRoom'> {
    return { queued: this.#queue.size, delayed: this.#retryingItems, activeBatches: this.#running.length };
  }

  get #hasSlot(): boolean {
    const taken = this.#running.length - this.#yielded + this.#keptSlots;
    return taken < this.#settings.maxConcurrentBatches;
  }

  get activeBatches(): number {
    return this.#running.length;
  }

  add(item: BatchItem<Input, Output>): void {
    this.#queue.add(item);
    this.#pumpSoon();
  }

  /** Starts the batches that are ready, as far as handlers are free. */
  pump(): void {
    while (this.#hasSlot) {
      const run = this.#nextRetry() ?? this.#nextFresh();
      if (run === undefined) break;
      this.#start(run);
    }
    this.#arm();
  }

  /** An item was dropped. After the last waiting one, the timer must not keep the process alive. */
  forget(): void {
    if (this.#queue.size > 0 || this.#timer === undefined) return;
    this.#settings.clock.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
  }

  /** Ends the wait of every item up to that sequence. */
  flush(sequence: number): void {
    this.#queue.expireThrough(sequence);
    this.pump();
  }

  /** Every item that has not settled, queued or in a batch. */
  items(): BatchItem<Input, Output>[] {
    const runs = [...this.#running, ...this.#delayed.keys(), ...this.#retries];
    return [...this.#queue.items(), ...runs.flatMap((run) => run.items.filter(({ settled }) => !settled))];
  }

  /** Stops waiting for the handlers. */
  abandon(reason: unknown): void {
    for (const run of [...this.#running]) run.abandon(reason, this.#settings.clock);
    this.#arm();
  }

  /** Pumps once a turn, so that all items of a turn compete by priority. */
  #pumpSoon(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.pump();
    });
  }

  #nextRetry(): BatchRun<Input, Output> | undefined {
    const [run] = this.#retries;
    if (run === undefined) return undefined;
    this.#retries.delete(run);
    this.#retryingItems -= run.live;
    if (run.live === run.items.length) return run;
    const live = run.items.filter(({ settled }) => !settled);
    return new BatchRun(live, run.attempt, this.#runHooks);
  }

  #nextFresh(): BatchRun<Input, Output> | undefined {
    if (this.#stops > 0 || this.#queue.size === 0) return undefined;
    const nowMs = this.#settings.clock.now();
    this.#queue.expire(nowMs);
    const items = this.#queue.takeBatch();
    if (items === undefined) return undefined;
    for (const { accepted } of items) this.#metrics.waitMs.record(nowMs - accepted.atMs);
    return new BatchRun(items, 1, this.#runHooks);
  }

  #start(run: BatchRun<Input, Output>): void {
    const { clock, handlerTimeoutMs } = this.#settings;
    this.#running.push(run);
    this.#metrics.batchSize.record(run.live);
    this.#metrics.queueDepth.record(this.depth);
    const startedAtMs = clock.now();
    void run.perform(this.#handler, handlerTimeoutMs, clock).then((outcome) => {
      this.#conclude(run, outcome, startedAtMs);
    });
    this.#hooks.onCapacity();
  }

  #conclude(run: BatchRun<Input, Output>, outcome: HandlerOutcome<Output>, startedAtMs: number): void {
    const nowMs = this.#settings.clock.now();
    this.#forgetRunning(run);
    this.#metrics.processingMs.record(nowMs - startedAtMs);
    const waiting = run.live;
    const again: BatchItem<Input, Output>[] = [];
    const errors: unknown[] = [];
    for (let index = 0; index < run.items.length; index += 1) {
      const item = run.items[index];
      if (item === undefined || item.settled || outcome.kind === 'abandoned') continue;
      const result = outcome.kind === 'failure' ? outcome.error : outcome.results[index];
      const judged = outcome.kind === 'failure' ? outcome.thrown : result;
      if (!isErrorResult(result)) {
        this.#succeed(item, result as Output, nowMs);
      } else if (this.#retry?.allows(judged, run.attempt)) {
        again.push(item);
        errors.push(judged);
      } else {
        this.#fail(item, result, nowMs);
      }
    }
    // A batch fails as a whole for a reason that the next one would meet too, such as an outage or a throttle. It keeps
    // its slot, so that the queue waits instead of using up its tries.
    if (again.length > 0) this.#delay(again, errors, run.attempt, again.length === waiting && !run.answered);
    this.pump();
    this.#hooks.onConcluded();
  }

  #forgetRunning(run: BatchRun<Input, Output>): void {
    if (run.yielded) this.#yielded -= 1;
    const last = this.#running.pop();
    if (last !== undefined && last !== run) this.#running[this.#running.indexOf(run)] = last;
  }

  #delay(
    items: readonly BatchItem<Input, Output>[],
    errors: readonly unknown[],
    attempt: number,
    keepsSlot: boolean,
  ): void {
    const { clock } = this.#settings;
    const run = new BatchRun(items, attempt + 1, this.#runHooks);
    run.keepsSlot = keepsSlot;
    if (keepsSlot) this.#keptSlots += 1;
    // A throttle refuses every batch. The refused items go first when it ends, or new ones would delay them for ever.
    run.stopsIntake = keepsSlot && longestRetryAfterMs(errors) > 0;
    if (run.stopsIntake) this.#stops += 1;
    this.#retryingItems += items.length;
    this.#metrics.retried += items.length;
    const resume = () => {
      this.#delayed.delete(run);
      this.#retries.add(run);
      this.#giveUpSlot(run);
      this.pump();
    };
    this.#delayed.set(run, clock.setTimeout(resume, this.#retry?.delayMs(errors, attempt) ?? 0));
  }

  #forgetDropped(run: BatchRun<Input, Output>): void {
    const timer = this.#delayed.get(run);
    if (timer === undefined && !this.#retries.has(run)) return;
    this.#retryingItems -= 1;
    if (run.live > 0) return;
    this.#retries.delete(run);
    this.#delayed.delete(run);
    if (timer !== undefined) this.#settings.clock.clearTimeout(timer);
    this.#giveUpSlot(run);
    this.#pumpSoon();
  }

  #giveUpSlot(run: BatchRun<Input, Output>): void {
    if (run.keepsSlot) this.#keptSlots -= 1;
    run.keepsSlot = false;
    if (run.stopsIntake) this.#stops -= 1;
    run.stopsIntake = false;
  }

  #succeed(item: BatchItem<Input, Output>, output: Output, nowMs: number): void {
    if (!item.succeed(output)) return;
    this.#metrics.succeededMs.record(nowMs - item.accepted.atMs);
    this.#hooks.onSettled(item);
  }

  #fail(item: BatchItem<Input, Output>, error: unknown, nowMs: number): void {
    if (!item.fail(error)) return;
    this.#metrics.failedMs.record(nowMs - item.accepted.atMs);
    this.#hooks.onSettled(item);
  }

  /** Keeps one timer for the next wait that ends. Keeps none while nothing waits or no handler is free. */
  #arm(): void {
    const { clock } = this.#settings;
    const dueAtMs = this.#hasSlot && this.#stops === 0 ? this.#queue.nextDueAtMs() : undefined;
    if (dueAtMs !== undefined && this.#timer !== undefined && this.#timer.dueAtMs <= dueAtMs) return;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
    if (dueAtMs === undefined) return;
    const handle = clock.setTimeout(
      () => {
        this.#timer = undefined;
        this.pump();
      },
      Math.max(0, dueAtMs - clock.now()),
    );
    this.#timer = { handle, dueAtMs };
  }
}

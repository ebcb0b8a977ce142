import type { TimerHandle } from '../../internal/clock.ts';
import type { Bucket, QueueItem } from '../../internal/collections/priority-queue.ts';
import { type Arrival, FlushGroup, type Tick } from './arrival.ts';

/** The holder of an item at the moment. It can drop the item at any time. */
export interface ItemHolder<Input, Output> {
  /** The item ended early: forget it at once. */
  drop(item: BatchItem<Input, Output>, reason: unknown): void;
}

/** One `process()` call on its way through the processor. It settles once; later settlements are ignored. */
export class BatchItem<Input, Output> implements QueueItem<BatchItem<Input, Output>> {
  /**
   * An instance that is never freed. V8 drops the shape of a class, and its compiled code, when a GC finds no instance.
   */
  static readonly kept: BatchItem<unknown, unknown> = new BatchItem<unknown, unknown>(undefined, '', 1, 0, 0, {
    atMs: 0.5,
    flushGroup: new FlushGroup(),
  });
  readonly promise: Promise<Output>;
  readonly input: Input;
  readonly group: string;
  readonly weight: number;
  readonly priority: number;
  readonly sequence: number;
  readonly accepted: Tick;
  /** When its wait for a batch began: at acceptance, or when the full queue took it in. */
  queued: Tick;
  bucket: Bucket<BatchItem<Input, Output>> | undefined = undefined;
  previous: BatchItem<Input, Output> | undefined = undefined;
  next: BatchItem<Input, Output> | undefined = undefined;
  arrival: Arrival | undefined = undefined;
  settled = false;
  holder: ItemHolder<Input, Output> | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  timer: TimerHandle | undefined = undefined;
  #resolve!: (value: Output) => void;
  #reject!: (reason: unknown) => void;

  // Positional, because it runs once for each call: an object of fields would double the garbage.
  constructor(input: Input, group: string, weight: number, priority: number, sequence: number, accepted: Tick) {
    // Not a `Deferred`: that costs a tenth of a call more, as a field and as a base class.
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.input = input;
    this.group = group;
    this.weight = weight;
    this.priority = priority;
    this.sequence = sequence;
    this.accepted = accepted;
    this.queued = accepted;
  }

  get atMs(): number {
    return this.accepted.atMs;
  }

  /** Tells whether this call settled the item. */
  succeed(value: Output): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#resolve(value);
    return true;
  }

  /** Tells whether this call settled the item. */
  fail(reason: unknown): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#reject(reason);
    return true;
  }
}

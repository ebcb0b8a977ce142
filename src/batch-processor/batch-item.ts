import type { TimerHandle } from '../internal/clock.ts';
import type { Cohort } from './cohort.ts';
import type { HeapNode } from './indexed-heap.ts';

/** Where an item is at the moment; it can be taken out at any time. */
export interface ItemHolder<Input, Output> {
  /** The item ended early: forget it at once. */
  drop(item: BatchItem<Input, Output>, reason: unknown): void;
}

export interface BatchItemFields<Input> {
  readonly input: Input;
  readonly group: string;
  readonly weight: number;
  readonly order: number;
  readonly sequence: number;
  readonly acceptedAtMs: number;
  readonly cohort: Cohort;
}

/** One `process()` call on its way through the processor. It settles once; later settlements are ignored. */
export class BatchItem<Input, Output> implements HeapNode {
  readonly input: Input;
  readonly group: string;
  readonly weight: number;
  readonly order: number;
  readonly sequence: number;
  readonly acceptedAtMs: number;
  readonly cohort: Cohort;
  heapIndex = -1;
  /** When its wait for a batch began: at acceptance, or when it found room. */
  queuedAtMs: number;
  /** Neighbours in the order of arrival, among items whose wait is not over. */
  previous: BatchItem<Input, Output> | undefined = undefined;
  next: BatchItem<Input, Output> | undefined = undefined;
  /** Its wait is over: its group may go as it is. */
  due = false;
  settled = false;
  holder: ItemHolder<Input, Output> | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  timer: TimerHandle | undefined = undefined;
  readonly #resolve: (value: Output) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    fields: BatchItemFields<Input>,
    resolve: (value: Output) => void,
    reject: (reason: unknown) => void,
  ) {
    this.input = fields.input;
    this.group = fields.group;
    this.weight = fields.weight;
    this.order = fields.order;
    this.sequence = fields.sequence;
    this.acceptedAtMs = fields.acceptedAtMs;
    this.queuedAtMs = fields.acceptedAtMs;
    this.cohort = fields.cohort;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Tells whether this call settled the item. */
  resolve(value: Output): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#resolve(value);
    return true;
  }

  /** Tells whether this call settled the item. */
  reject(reason: unknown): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#reject(reason);
    return true;
  }
}

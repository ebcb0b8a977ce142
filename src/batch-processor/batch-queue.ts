import { BatchGroup } from './batch-group.ts';
import type { BatchItem, ItemHolder } from './batch-item.ts';
import { IndexedHeap } from './indexed-heap.ts';

export interface BatchQueueLimits {
  readonly batchSize: number;
  readonly maxBatchWeight: number;
  readonly maxBatchWaitMs: number;
}

/**
 * Waiting items in groups, ready to be taken as batches. A group is ready when it fills a batch by size or weight, or
 * when an item of it has waited long enough. Of the ready groups the one with the first item goes first. Every step
 * is O(log n), and an item leaves from anywhere.
 */
export class BatchQueue<Input, Output> implements ItemHolder<Input, Output> {
  readonly #limits: BatchQueueLimits;
  readonly #groups = new Map<string, BatchGroup<Input, Output>>();
  readonly #ready = new IndexedHeap<BatchGroup<Input, Output>>();
  /** Items whose wait is not over, oldest first, linked through the items. */
  #oldest: BatchItem<Input, Output> | undefined;
  #youngest: BatchItem<Input, Output> | undefined;
  #size = 0;

  constructor(limits: BatchQueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** When the next wait ends; `undefined` when nothing waits. */
  get nextDueAtMs(): number | undefined {
    return this.#oldest === undefined ? undefined : this.#oldest.queuedAtMs + this.#limits.maxBatchWaitMs;
  }

  /** Adds an item whose `queuedAtMs` is not before that of any other. */
  add(item: BatchItem<Input, Output>): void {
    let group = this.#groups.get(item.group);
    if (group === undefined) {
      group = new BatchGroup(item.group);
      this.#groups.set(item.group, group);
    }
    item.holder = this;
    group.add(item);
    this.#size += 1;
    if (item.cohort.flushed) {
      item.due = true;
      group.dueCount += 1;
    } else {
      this.#link(item);
    }
    this.#settleReadiness(group);
  }

  drop(item: BatchItem<Input, Output>): void {
    const group = this.#groups.get(item.group);
    if (group === undefined) return;
    this.#take(item, group);
    this.#settleReadiness(group);
  }

  /** Ends the wait of every item that has waited long enough. */
  expire(nowMs: number): void {
    while (this.#oldest !== undefined && this.#oldest.queuedAtMs + this.#limits.maxBatchWaitMs <= nowMs) {
      this.#endWait(this.#oldest);
    }
  }

  /** Ends the wait of every item. */
  expireAll(): void {
    while (this.#oldest !== undefined) this.#endWait(this.#oldest);
  }

  /** Takes the next batch: items of one group, first ones first, within size and weight. */
  takeBatch(): BatchItem<Input, Output>[] | undefined {
    const group = this.#ready.peek();
    if (group === undefined) return undefined;
    const { batchSize, maxBatchWeight } = this.#limits;
    const batch: BatchItem<Input, Output>[] = [];
    let weight = 0;
    for (let first = group.items.peek(); first !== undefined; first = group.items.peek()) {
      if (batch.length === batchSize) break;
      if (batch.length > 0 && weight + first.weight > maxBatchWeight) break;
      weight += first.weight;
      this.#take(first, group);
      batch.push(first);
    }
    this.#settleReadiness(group);
    return batch;
  }

  /** Every item that waits, in no order. */
  items(): BatchItem<Input, Output>[] {
    return [...this.#groups.values()].flatMap((group) => group.items.toArray());
  }

  #take(item: BatchItem<Input, Output>, group: BatchGroup<Input, Output>): void {
    group.remove(item);
    if (!item.due) this.#unlink(item);
    item.holder = undefined;
    this.#size -= 1;
  }

  #endWait(item: BatchItem<Input, Output>): void {
    this.#unlink(item);
    item.due = true;
    const group = this.#groups.get(item.group);
    if (group === undefined) return;
    group.dueCount += 1;
    this.#settleReadiness(group);
  }

  #settleReadiness(group: BatchGroup<Input, Output>): void {
    const { size } = group.items;
    if (size === 0) this.#groups.delete(group.name);
    const { batchSize, maxBatchWeight } = this.#limits;
    const ready = size >= batchSize || group.dueCount > 0 || (size > 0 && group.weight >= maxBatchWeight);
    if (!ready) {
      this.#ready.remove(group);
      return;
    }
    group.followFirst();
    if (group.heapIndex < 0) this.#ready.push(group);
    else this.#ready.update(group);
  }

  #link(item: BatchItem<Input, Output>): void {
    item.previous = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = item;
    else this.#youngest.next = item;
    this.#youngest = item;
  }

  #unlink(item: BatchItem<Input, Output>): void {
    const { previous, next } = item;
    if (previous === undefined) this.#oldest = next;
    else previous.next = next;
    if (next === undefined) this.#youngest = previous;
    else next.previous = previous;
    item.previous = undefined;
    item.next = undefined;
  }
}

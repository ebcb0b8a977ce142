import { IndexedHeap } from '../../internal/collections/priority-queue.ts';
import { BatchGroup } from './batch-group.ts';
import type { BatchItem, ItemHolder } from './batch-item.ts';

export interface BatchQueueLimits {
  readonly batchSize: number;
  readonly maxBatchWeight: number;
  readonly maxBatchWaitMs: number;
  readonly ageingMs: number;
}

/**
 * Waiting items in groups, ready to be taken as batches. A group is ready when it fills a batch by size or weight, or
 * when an item of it has waited long enough. Of the ready groups the one with the first item goes first.
 */
export class BatchQueue<Input, Output> implements ItemHolder<Input, Output> {
  readonly #limits: BatchQueueLimits;
  /**
   * The only group without `groupBy`. It stays: a Map that shrinks and grows keeps dead tables alive until a full GC.
   */
  readonly #nameless: BatchGroup<Input, Output>;
  readonly #groups = new Map<string, BatchGroup<Input, Output>>();
  readonly #ready = new IndexedHeap<BatchGroup<Input, Output>>();
  /** Items that are not due yet, linked in the order of queueing, so in the order in which they become due. */
  #oldest: BatchItem<Input, Output> | undefined;
  #newest: BatchItem<Input, Output> | undefined;
  #size = 0;
  #nowMs = Number.NEGATIVE_INFINITY;
  #flushedThrough = 0;

  constructor(limits: BatchQueueLimits) {
    this.#limits = limits;
    this.#nameless = new BatchGroup('', limits.ageingMs);
  }

  get size(): number {
    return this.#size;
  }

  /** When the next wait ends; `undefined` when nothing waits. */
  nextDueAtMs(): number | undefined {
    return this.#oldest === undefined ? undefined : this.#dueAtMs(this.#oldest);
  }

  /** Adds an item that came after all others of its priority. */
  add(item: BatchItem<Input, Output>): void {
    const group = this.#groupOf(item.group);
    item.holder = this;
    this.#size += 1;
    group.add(item);
    if (item.sequence <= this.#flushedThrough || this.#dueAtMs(item) <= this.#nowMs) {
      item.isDue = true;
      group.due += 1;
    } else {
      this.#link(item);
    }
    if (group.heapIndex < 0 || group.first === item) this.#settleReadiness(group);
  }

  drop(item: BatchItem<Input, Output>): void {
    const group = this.#groupOf(item.group);
    this.#take(item, group);
    this.#settleReadiness(group);
  }

  /** Ends the wait of every item that has waited long enough. */
  expire(nowMs: number): void {
    this.#nowMs = nowMs;
    for (let item = this.#oldest; item !== undefined && this.#dueAtMs(item) <= nowMs; item = this.#oldest) {
      this.#endWait(item);
    }
  }

  /** Ends the wait of every item up to that one, also of those that are still to come. */
  expireThrough(sequence: number): void {
    this.#flushedThrough = sequence;
    for (let item = this.#oldest; item !== undefined; ) {
      const { newer } = item;
      if (item.sequence <= sequence) this.#endWait(item);
      item = newer;
    }
  }

  /** Takes the next batch: items of one group, first ones first, within size and weight. */
  takeBatch(): BatchItem<Input, Output>[] | undefined {
    const group = this.#ready.peek();
    if (group === undefined) return undefined;
    const { batchSize, maxBatchWeight } = this.#limits;
    const batch: BatchItem<Input, Output>[] = [];
    let weight = 0;
    for (let { first } = group; first !== undefined; { first } = group) {
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
    return [this.#nameless, ...this.#groups.values()].flatMap((group) => group.items());
  }

  #groupOf(name: string): BatchGroup<Input, Output> {
    if (name === '') return this.#nameless;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new BatchGroup(name, this.#limits.ageingMs);
      this.#groups.set(name, group);
    }
    return group;
  }

  #take(item: BatchItem<Input, Output>, group: BatchGroup<Input, Output>): void {
    group.remove(item);
    item.holder = undefined;
    this.#size -= 1;
    if (item.isDue) group.due -= 1;
    else this.#unlink(item);
  }

  #dueAtMs({ queued }: BatchItem<Input, Output>): number {
    return queued.atMs + this.#limits.maxBatchWaitMs;
  }

  #endWait(item: BatchItem<Input, Output>): void {
    const group = this.#groupOf(item.group);
    this.#unlink(item);
    item.isDue = true;
    group.due += 1;
    if (group.due === 1) this.#settleReadiness(group);
  }

  #link(item: BatchItem<Input, Output>): void {
    item.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
  }

  #unlink(item: BatchItem<Input, Output>): void {
    const { older, newer } = item;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    item.older = undefined;
    item.newer = undefined;
  }

  #settleReadiness(group: BatchGroup<Input, Output>): void {
    const { size } = group;
    if (size === 0) this.#groups.delete(group.name);
    const { batchSize, maxBatchWeight } = this.#limits;
    const ready = size >= batchSize || group.due > 0 || (size > 0 && group.weight >= maxBatchWeight);
    if (!ready) {
      this.#ready.remove(group);
      return;
    }
    if (group.heapIndex < 0) this.#ready.push(group);
    else this.#ready.update(group);
  }
}

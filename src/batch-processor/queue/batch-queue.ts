import { IndexedHeap } from '../../internal/collections/priority-queue.ts';
import { Arrival } from './arrival.ts';
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
 * when an item of it has waited long enough. The ready group with the first item goes first.
 */
export class BatchQueue<Input, Output> implements ItemHolder<Input, Output> {
  readonly #limits: BatchQueueLimits;
  /**
   * The only group without `groupBy`. It is never removed: a Map that shrinks and grows keeps dead tables alive until a
   * full GC.
   */
  readonly #nameless: BatchGroup<Input, Output>;
  readonly #groups = new Map<string, BatchGroup<Input, Output>>();
  readonly #ready = new IndexedHeap<BatchGroup<Input, Output>>();
  /** Arrivals that are not due yet, linked in the order of queueing, so in the order in which they become due. */
  #oldest: Arrival | undefined;
  #newest: Arrival | undefined;
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

  /** Adds an item that arrived after all others of its priority. */
  add(item: BatchItem<Input, Output>): void {
    const group = this.#groupOf(item.group);
    item.holder = this;
    this.#size += 1;
    group.add(item);
    group.weight += item.weight;
    const arrival = this.#arrivalOf(item, group);
    item.arrival = arrival;
    arrival.size += 1;
    if (arrival.isDue) group.due += 1;
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
    for (let first = this.#oldest; first !== undefined && this.#dueAtMs(first) <= nowMs; first = this.#oldest) {
      this.#endWait(first);
    }
  }

  /** Ends the wait of every item up to that sequence. The last of them may still wait for capacity. */
  expireThrough(sequence: number): void {
    this.#flushedThrough = sequence;
    for (let first = this.#oldest; first !== undefined; first = this.#oldest) this.#endWait(first);
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
    // A sum of fractions drifts; an empty group starts over.
    group.weight = group.size === 0 ? 0 : group.weight - item.weight;
    this.#size -= 1;
    const { arrival } = item;
    if (arrival === undefined) return;
    arrival.size -= 1;
    if (arrival.isDue) group.due -= 1;
    else if (arrival.size === 0) this.#unlink(arrival);
  }

  #dueAtMs({ tick }: Arrival): number {
    return tick.atMs + this.#limits.maxBatchWaitMs;
  }

  /** The arrival that an item belongs to. A new arrival is due at once, or after all others. */
  #arrivalOf({ queued, sequence }: BatchItem<Input, Output>, group: BatchGroup<Input, Output>): Arrival {
    const { latest } = group;
    const isDue = sequence <= this.#flushedThrough || queued.atMs + this.#limits.maxBatchWaitMs <= this.#nowMs;
    if (latest?.tick === queued && latest.isDue === isDue && (isDue || latest.size > 0)) return latest;
    const arrival = new Arrival(group.name, queued);
    group.latest = arrival;
    arrival.isDue = isDue;
    if (isDue) return arrival;
    arrival.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = arrival;
    else this.#newest.newer = arrival;
    this.#newest = arrival;
    return arrival;
  }

  #endWait(arrival: Arrival): void {
    const group = this.#groupOf(arrival.group);
    this.#unlink(arrival);
    arrival.isDue = true;
    group.due += arrival.size;
    this.#settleReadiness(group);
  }

  #unlink(arrival: Arrival): void {
    const { older, newer } = arrival;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    arrival.older = undefined;
    arrival.newer = undefined;
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

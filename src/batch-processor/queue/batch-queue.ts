import { IndexedHeap } from '../../internal/collections/indexed-heap.ts';
import type { LaneWait, PriorityLane } from '../../internal/collections/priority-lane.ts';
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
  /** Lanes with a wait that is not over. A lane whose first item left stands too early until it is looked at. */
  readonly #waits = new IndexedHeap<LaneWait<BatchItem<Input, Output>>>();
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
    return this.#soonest()?.order;
  }

  /** Adds an item that came after all others of its priority. */
  add(item: BatchItem<Input, Output>): void {
    const group = this.#groupOf(item.group);
    item.holder = this;
    group.weight += item.weight;
    this.#size += 1;
    const lane = group.items.add(item);
    if (lane.first === item) this.#judgeWait(lane, group);
    else if (group.heapIndex >= 0) return;
    this.#settleReadiness(group);
  }

  drop(item: BatchItem<Input, Output>): void {
    const group = this.#groupOf(item.group);
    this.#take(item, group);
    this.#settleReadiness(group);
  }

  /** Ends the wait of every item that has waited long enough. */
  expire(nowMs: number): void {
    this.#nowMs = nowMs;
    for (let wait = this.#soonest(); wait !== undefined && wait.order <= nowMs; wait = this.#soonest()) {
      const group = this.#groupOf(wait.group);
      this.#judgeWait(wait.lane, group);
      this.#settleReadiness(group);
    }
  }

  /** Ends the wait of every item up to that one, also of those that are still to come. */
  expireThrough(sequence: number): void {
    this.#flushedThrough = sequence;
    for (const group of [this.#nameless, ...this.#groups.values()]) {
      for (const lane of group.items.lanes()) this.#judgeWait(lane, group);
      this.#settleReadiness(group);
    }
  }

  /** Takes the next batch: items of one group, first ones first, within size and weight. */
  takeBatch(): BatchItem<Input, Output>[] | undefined {
    const group = this.#ready.peek();
    if (group === undefined) return undefined;
    const { batchSize, maxBatchWeight } = this.#limits;
    const batch: BatchItem<Input, Output>[] = [];
    let weight = 0;
    for (let { first } = group.items; first !== undefined; { first } = group.items) {
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
    return [this.#nameless, ...this.#groups.values()].flatMap((group) => group.items.items());
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
    const lane = group.remove(item);
    item.holder = undefined;
    this.#size -= 1;
    if (lane !== undefined && (lane.wait.over || lane.first === undefined)) this.#judgeWait(lane, group);
  }

  #isOver(item: BatchItem<Input, Output>): boolean {
    return item.sequence <= this.#flushedThrough || item.queued.atMs + this.#limits.maxBatchWaitMs <= this.#nowMs;
  }

  /** Files a lane by its first item: its wait is over, or has an end. */
  #judgeWait(lane: PriorityLane<BatchItem<Input, Output>>, group: BatchGroup<Input, Output>): void {
    const { first, wait } = lane;
    const over = first !== undefined && this.#isOver(first);
    if (over !== wait.over) group.overLanes += over ? 1 : -1;
    wait.over = over;
    this.#waits.remove(wait);
    if (first === undefined || over) return;
    wait.group = group.name;
    wait.order = first.queued.atMs + this.#limits.maxBatchWaitMs;
    this.#waits.push(wait);
  }

  /** The lane whose wait ends first, after a look at what stands too early. */
  #soonest(): LaneWait<BatchItem<Input, Output>> | undefined {
    for (let wait = this.#waits.peek(); wait !== undefined; wait = this.#waits.peek()) {
      const { first } = wait.lane;
      if (first === undefined) {
        this.#waits.remove(wait);
        continue;
      }
      const dueAtMs = first.queued.atMs + this.#limits.maxBatchWaitMs;
      if (dueAtMs === wait.order) return wait;
      wait.order = dueAtMs;
      this.#waits.update(wait);
    }
    return undefined;
  }

  #settleReadiness(group: BatchGroup<Input, Output>): void {
    const { size } = group.items;
    if (size === 0) this.#groups.delete(group.name);
    const { batchSize, maxBatchWeight } = this.#limits;
    const ready = size >= batchSize || group.overLanes > 0 || (size > 0 && group.weight >= maxBatchWeight);
    if (!ready) {
      this.#ready.remove(group);
      return;
    }
    group.followFirst();
    if (group.heapIndex < 0) this.#ready.push(group);
    else this.#ready.update(group);
  }
}

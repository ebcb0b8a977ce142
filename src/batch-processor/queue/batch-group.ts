import type { HeapNode } from '../../internal/collections/indexed-heap.ts';
import type { PriorityLane } from '../../internal/collections/priority-lane.ts';
import { PriorityLanes } from '../../internal/collections/priority-lanes.ts';
import type { BatchItem } from './batch-item.ts';

/** Waiting items that may share a batch. As a heap node it stands where its first item does. */
export class BatchGroup<Input, Output> implements HeapNode {
  readonly name: string;
  readonly items: PriorityLanes<BatchItem<Input, Output>>;
  weight = 0;
  /** Lanes whose first item's wait is over. */
  overLanes = 0;
  order = 0;
  sequence = 0;
  heapIndex = -1;

  constructor(name: string, ageingMs: number) {
    this.name = name;
    this.items = new PriorityLanes(ageingMs);
  }

  /** Takes an item out and gives the lane it was in. */
  remove(item: BatchItem<Input, Output>): PriorityLane<BatchItem<Input, Output>> | undefined {
    const lane = this.items.remove(item);
    // A sum of fractions drifts; an empty group starts over.
    this.weight = this.items.size === 0 ? 0 : this.weight - item.weight;
    return lane;
  }

  /** Copies the place of the first item. */
  followFirst(): void {
    const lane = this.items.firstLane;
    if (lane === undefined) return;
    this.order = lane.order;
    this.sequence = lane.sequence;
  }
}

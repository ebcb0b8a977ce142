import type { BatchItem } from './batch-item.ts';
import { type HeapNode, IndexedHeap } from './indexed-heap.ts';

/** Waiting items that may share a batch. As a heap node it stands where its first item does. */
export class BatchGroup<Input, Output> implements HeapNode {
  readonly name: string;
  readonly items = new IndexedHeap<BatchItem<Input, Output>>();
  weight = 0;
  /** Items whose wait is over. */
  dueCount = 0;
  order = 0;
  sequence = 0;
  heapIndex = -1;

  constructor(name: string) {
    this.name = name;
  }

  add(item: BatchItem<Input, Output>): void {
    this.items.push(item);
    this.weight += item.weight;
  }

  remove(item: BatchItem<Input, Output>): void {
    this.items.remove(item);
    // A sum of fractions drifts; an empty group starts over.
    this.weight = this.items.size === 0 ? 0 : this.weight - item.weight;
    if (item.due) this.dueCount -= 1;
  }

  /** Copies the place of the first item. */
  followFirst(): void {
    const first = this.items.peek();
    if (first === undefined) return;
    this.order = first.order;
    this.sequence = first.sequence;
  }
}

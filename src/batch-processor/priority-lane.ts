import type { BatchItem } from './batch-item.ts';
import type { HeapNode } from './indexed-heap.ts';

/** Items of one priority in the order of their calls. As a heap node it stands where its first item does. */
export class PriorityLane<Input, Output> implements HeapNode {
  readonly priority: number;
  order = 0;
  sequence = 0;
  heapIndex = -1;
  /** Its place among the lanes whose first item still waits for company; for the queue. */
  readonly wait: LaneWait<Input, Output>;
  first: BatchItem<Input, Output> | undefined;
  #last: BatchItem<Input, Output> | undefined;

  constructor(priority: number) {
    this.priority = priority;
    this.wait = new LaneWait(this);
  }

  append(item: BatchItem<Input, Output>): void {
    item.lane = this;
    item.previous = this.#last;
    if (this.#last === undefined) this.first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  unlink(item: BatchItem<Input, Output>): void {
    const { previous, next } = item;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.lane = undefined;
    item.previous = undefined;
    item.next = undefined;
  }
}

/** A lane in the heap of waits; `order` is when the wait of its first item ends, or earlier. */
export class LaneWait<Input, Output> implements HeapNode {
  readonly lane: PriorityLane<Input, Output>;
  order = 0;
  readonly sequence = 0;
  heapIndex = -1;
  /** The wait of the lane's first item is over. */
  over = false;
  group = '';

  constructor(lane: PriorityLane<Input, Output>) {
    this.lane = lane;
  }
}

import type { HeapNode } from './indexed-heap.ts';

/** What stands in a lane; the lane links its items through themselves. */
export interface LaneItem<Item extends LaneItem<Item>> {
  readonly priority: number;
  readonly sequence: number;
  readonly accepted: { readonly atMs: number };
  lane: PriorityLane<Item> | undefined;
  previous: Item | undefined;
  next: Item | undefined;
}

/** Items of one priority in the order of their calls. As a heap node it stands where its first item does. */
export class PriorityLane<Item extends LaneItem<Item>> implements HeapNode {
  readonly priority: number;
  order = 0;
  sequence = 0;
  heapIndex = -1;
  /** Its place among the lanes whose first item still waits for company; for the queue. */
  readonly wait: LaneWait<Item>;
  first: Item | undefined;
  #last: Item | undefined;

  constructor(priority: number) {
    this.priority = priority;
    this.wait = new LaneWait(this);
  }

  append(item: Item): void {
    item.lane = this;
    item.previous = this.#last;
    if (this.#last === undefined) this.first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  /** Adds an item before those that came later; for few of them, near the front. */
  insert(item: Item): void {
    let next = this.first;
    while (next !== undefined && next.sequence < item.sequence) next = next.next;
    if (next === undefined) {
      this.append(item);
      return;
    }
    const { previous } = next;
    item.lane = this;
    item.previous = previous;
    item.next = next;
    next.previous = item;
    if (previous === undefined) this.first = item;
    else previous.next = item;
  }

  unlink(item: Item): void {
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
export class LaneWait<Item extends LaneItem<Item>> implements HeapNode {
  readonly lane: PriorityLane<Item>;
  order = 0;
  readonly sequence = 0;
  heapIndex = -1;
  /** The wait of the lane's first item is over. */
  over = false;
  group = '';

  constructor(lane: PriorityLane<Item>) {
    this.lane = lane;
  }
}

import { IndexedHeap } from './indexed-heap.ts';
import { type LaneItem, PriorityLane } from './priority-lane.ts';

/** Empty lanes kept for their next item: a Map that shrinks and grows keeps its dead tables alive until a full GC. */
const MAX_EMPTY_LANES = 32;

/**
 * Items by priority and age: a heap of lanes, one a priority, each in the order of calls. Adding to a lane and taking
 * the first item are O(log lanes), so constant for few priorities; an item leaves from anywhere in the same time.
 *
 * All items age alike, so their order never changes: a step of priority is worth `ageingMs` of earlier arrival.
 */
export class PriorityLanes<Item extends LaneItem<Item>> {
  readonly #ageingMs: number;
  readonly #lanes = new Map<number, PriorityLane<Item>>();
  readonly #heap = new IndexedHeap<PriorityLane<Item>>();
  #size = 0;

  constructor(ageingMs: number) {
    this.#ageingMs = ageingMs;
  }

  get size(): number {
    return this.#size;
  }

  /** The lane whose first item goes first. */
  get firstLane(): PriorityLane<Item> | undefined {
    return this.#heap.peek();
  }

  get first(): Item | undefined {
    return this.#heap.peek()?.first;
  }

  /** Adds an item that came after all others of its priority. */
  add(item: Item): PriorityLane<Item> {
    const lane = this.#laneOf(item.priority);
    lane.append(item);
    this.#size += 1;
    if (lane.first === item) {
      this.#follow(lane, item);
      this.#heap.push(lane);
    }
    return lane;
  }

  /** Puts an item that was taken out back to where it stood among those of its priority. */
  restore(item: Item): void {
    const lane = this.#laneOf(item.priority);
    lane.insert(item);
    this.#size += 1;
    if (lane.first !== item) return;
    this.#follow(lane, item);
    if (lane.heapIndex < 0) this.#heap.push(lane);
    else this.#heap.update(lane);
  }

  /** Takes an item out and gives the lane it was in. */
  remove(item: Item): PriorityLane<Item> | undefined {
    const { lane } = item;
    if (lane === undefined) return undefined;
    const wasFirst = lane.first === item;
    lane.unlink(item);
    this.#size -= 1;
    if (wasFirst) this.#firstLeft(lane);
    return lane;
  }

  /** Lanes that have items, in no order. */
  lanes(): PriorityLane<Item>[] {
    return this.#heap.toArray();
  }

  /** Every item, in no order. */
  items(): Item[] {
    const items: Item[] = [];
    for (const lane of this.#heap.toArray()) {
      for (let item = lane.first; item !== undefined; item = item.next) items.push(item);
    }
    return items;
  }

  #laneOf(priority: number): PriorityLane<Item> {
    let lane = this.#lanes.get(priority);
    if (lane === undefined) {
      lane = new PriorityLane(priority);
      this.#lanes.set(priority, lane);
    }
    return lane;
  }

  #firstLeft(lane: PriorityLane<Item>): void {
    if (lane.first === undefined) {
      this.#heap.remove(lane);
      if (this.#lanes.size > MAX_EMPTY_LANES) this.#lanes.delete(lane.priority);
    } else {
      this.#follow(lane, lane.first);
      this.#heap.update(lane);
    }
  }

  #follow(lane: PriorityLane<Item>, first: Item): void {
    lane.order = first.accepted.atMs - lane.priority * this.#ageingMs;
    lane.sequence = first.sequence;
  }
}

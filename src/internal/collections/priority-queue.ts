/** A node of a heap: the smaller `order` goes first, then the smaller `sequence`. */
export interface HeapNode {
  readonly order: number;
  readonly sequence: number;
  /** Position in the heap that holds the node, -1 outside; only that heap writes it. */
  heapIndex: number;
}

/**
 * A binary min-heap whose nodes know their position, so that any of them can be removed in O(log n). A node is in at
 * most one heap. Shape: Williams, "Algorithm 232: Heapsort" (1964), with the hole method.
 */
export class IndexedHeap<Node extends HeapNode> {
  readonly #nodes: Node[] = [];

  peek(): Node | undefined {
    return this.#nodes[0];
  }

  push(node: Node): void {
    this.#nodes.push(node);
    this.#siftUp(node, this.#nodes.length - 1);
  }

  /** Removes a node from any position; ignores one that is not in a heap. */
  remove(node: Node): void {
    const index = node.heapIndex;
    if (index < 0) return;
    node.heapIndex = -1;
    const last = this.#nodes.pop();
    if (last === undefined || last === node) return;
    this.#moveFrom(last, index);
  }

  /** Moves a node whose `order` changed to its new position. */
  update(node: Node): void {
    if (node.heapIndex >= 0 && this.#nodes.length > 1) this.#moveFrom(node, node.heapIndex);
  }

  /** A copy of the nodes, unsorted. */
  toArray(): Node[] {
    return [...this.#nodes];
  }

  #moveFrom(node: Node, index: number): void {
    const parent = index > 0 ? this.#nodes[(index - 1) >> 1] : undefined;
    if (parent !== undefined && precedes(node, parent)) this.#siftUp(node, index);
    else this.#siftDown(node, index);
  }

  #siftUp(node: Node, from: number): void {
    const nodes = this.#nodes;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = nodes[parentIndex];
      if (parent === undefined || !precedes(node, parent)) break;
      nodes[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    nodes[index] = node;
    node.heapIndex = index;
  }

  #siftDown(node: Node, from: number): void {
    const nodes = this.#nodes;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = nodes[childIndex];
      if (child === undefined) break;
      const right = nodes[childIndex + 1];
      if (right !== undefined && precedes(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (!precedes(child, node)) break;
      nodes[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    nodes[index] = node;
    node.heapIndex = index;
  }
}

/** An entry of a `PriorityQueue`, which links its items through themselves: an item is in at most one queue. */
export interface QueueItem<Item extends QueueItem<Item>> {
  /** Higher goes first. */
  readonly priority: number;
  /** Its rank by arrival, unique within its queue; equals go in this order. */
  readonly sequence: number;
  /** When it arrived, in milliseconds. Never decreases with `sequence`. */
  readonly atMs: number;
  /** Set while the item is queued. */
  bucket: Bucket<Item> | undefined;
  previous: Item | undefined;
  next: Item | undefined;
}

/** The items of one priority in order of arrival. It has the order of its first item. */
export class Bucket<Item extends QueueItem<Item>> implements HeapNode {
  readonly priority: number;
  readonly #ageingMs: number;
  heapIndex = -1;
  order = 0;
  sequence = 0;
  first: Item | undefined = undefined;
  #last: Item | undefined = undefined;

  constructor(priority: number, ageingMs: number) {
    this.priority = priority;
    this.#ageingMs = ageingMs;
  }

  /** Inserts an item by its sequence: at the end, or near the front when it is queued again. */
  insert(item: Item): void {
    const last = this.#last;
    item.bucket = this;
    if (last === undefined) {
      this.#startWith(item);
      this.#last = item;
    } else if (last.sequence < item.sequence) {
      item.previous = last;
      last.next = item;
      this.#last = item;
    } else {
      this.#insertAgain(item);
    }
  }

  #insertAgain(item: Item): void {
    let next = this.first;
    while (next !== undefined && next.sequence < item.sequence) next = next.next;
    if (next === undefined) return;
    const { previous } = next;
    item.previous = previous;
    item.next = next;
    next.previous = item;
    if (previous === undefined) this.#startWith(item);
    else previous.next = item;
  }

  #startWith(item: Item): void {
    this.first = item;
    this.sequence = item.sequence;
    const isStrict = this.#ageingMs === Number.POSITIVE_INFINITY;
    this.order = isStrict ? -this.priority : item.atMs - this.priority * this.#ageingMs;
  }

  unlink(item: Item): void {
    const { previous, next } = item;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (next !== undefined) this.#startWith(next);
    else this.first = undefined;
    item.bucket = undefined;
    item.previous = undefined;
    item.next = undefined;
  }
}

/** Empty buckets kept for reuse: a Map that shrinks and grows keeps its dead tables alive until a full GC. */
const MAX_EMPTY_BUCKETS = 32;

/**
 * A queue by priority that is first in, first out within a priority. A step of priority is worth `ageingMs` of earlier
 * arrival, so that nothing starves; with an infinite `ageingMs` priority is strict. All items age alike, so their
 * order never changes while they wait.
 *
 * It is a heap of buckets, one per priority: adding, removing from any position and looking at the first item take
 * O(log priorities). A queue is a heap node itself and has the order of its first item, so that several queues can
 * share one order. After a change its owner calls `update` of that heap.
 */
export class PriorityQueue<Item extends QueueItem<Item>> implements HeapNode {
  heapIndex = -1;
  readonly #ageingMs: number;
  readonly #buckets = new Map<number, Bucket<Item>>();
  readonly #heap = new IndexedHeap<Bucket<Item>>();
  /** Items queued; only this class writes it. */
  size = 0;

  constructor(ageingMs: number) {
    this.#ageingMs = ageingMs;
  }

  get first(): Item | undefined {
    return this.#heap.peek()?.first;
  }

  get order(): number {
    return this.#heap.peek()?.order ?? Number.POSITIVE_INFINITY;
  }

  get sequence(): number {
    return this.#heap.peek()?.sequence ?? Number.POSITIVE_INFINITY;
  }

  /** Queues an item; one that was removed and is added again returns to its former position. */
  add(item: Item): void {
    const { priority } = item;
    // Most items have one priority, and its bucket needs no look-up.
    const top = this.#heap.peek();
    const bucket = top?.priority === priority ? top : this.#bucketOf(priority);
    bucket.insert(item);
    this.size += 1;
    if (bucket.heapIndex < 0) this.#heap.push(bucket);
    else if (bucket.first === item) this.#heap.update(bucket);
  }

  /** Removes an item from any position; false when it is not queued. */
  remove(item: Item): boolean {
    const { bucket } = item;
    if (bucket === undefined) return false;
    const wasFirst = bucket.first === item;
    bucket.unlink(item);
    this.size -= 1;
    if (!wasFirst) return true;
    if (bucket.first !== undefined) {
      this.#heap.update(bucket);
      return true;
    }
    this.#heap.remove(bucket);
    if (this.#buckets.size > MAX_EMPTY_BUCKETS) this.#buckets.delete(bucket.priority);
    return true;
  }

  /** Removes the first item and returns it. */
  shift(): Item | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** The buckets that hold items, unsorted. */
  buckets(): Bucket<Item>[] {
    return this.#heap.toArray();
  }

  /** Every item, by no order of priorities. */
  items(): Item[] {
    const items: Item[] = [];
    for (const bucket of this.#heap.toArray()) {
      for (let item = bucket.first; item !== undefined; item = item.next) items.push(item);
    }
    return items;
  }

  #bucketOf(priority: number): Bucket<Item> {
    let bucket = this.#buckets.get(priority);
    if (bucket === undefined) {
      bucket = new Bucket(priority, this.#ageingMs);
      this.#buckets.set(priority, bucket);
    }
    return bucket;
  }
}

function precedes(left: HeapNode, right: HeapNode): boolean {
  return left.order < right.order || (left.order === right.order && left.sequence < right.sequence);
}

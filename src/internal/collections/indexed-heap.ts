/** What a heap orders by: the smaller `order` first, then the smaller `sequence`. */
export interface HeapNode {
  readonly order: number;
  readonly sequence: number;
  /** Place in the heap that holds the node, -1 outside; written by that heap only. */
  heapIndex: number;
}

/**
 * A binary min-heap whose nodes know their place, so that any of them leaves in O(log n). A node is in at most one
 * heap. Shape: Williams, "Algorithm 232: Heapsort" (1964), with the hole method.
 */
export class IndexedHeap<Node extends HeapNode> {
  readonly #nodes: Node[] = [];

  get size(): number {
    return this.#nodes.length;
  }

  peek(): Node | undefined {
    return this.#nodes[0];
  }

  push(node: Node): void {
    this.#nodes.push(node);
    this.#siftUp(node, this.#nodes.length - 1);
  }

  pop(): Node | undefined {
    const top = this.#nodes[0];
    if (top !== undefined) this.remove(top);
    return top;
  }

  /** Takes a node out wherever it is; one that is not in a heap is ignored. */
  remove(node: Node): void {
    const index = node.heapIndex;
    if (index < 0) return;
    node.heapIndex = -1;
    const last = this.#nodes.pop();
    if (last === undefined || last === node) return;
    this.#place(last, index);
  }

  /** Puts a node whose `order` changed where it belongs now. */
  update(node: Node): void {
    if (node.heapIndex >= 0) this.#place(node, node.heapIndex);
  }

  /** The nodes in no order. */
  toArray(): Node[] {
    return [...this.#nodes];
  }

  #place(node: Node, index: number): void {
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

function precedes(left: HeapNode, right: HeapNode): boolean {
  return left.order < right.order || (left.order === right.order && left.sequence < right.sequence);
}

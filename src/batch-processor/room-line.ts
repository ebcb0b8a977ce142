import type { BatchItem, ItemHolder } from './batch-item.ts';
import { IndexedHeap } from './indexed-heap.ts';

/** Items that wait for room in a full queue, in the queue's own order. */
export class RoomLine<Input, Output> implements ItemHolder<Input, Output> {
  readonly #items = new IndexedHeap<BatchItem<Input, Output>>();

  get size(): number {
    return this.#items.size;
  }

  add(item: BatchItem<Input, Output>): void {
    item.holder = this;
    this.#items.push(item);
  }

  drop(item: BatchItem<Input, Output>): void {
    item.holder = undefined;
    this.#items.remove(item);
  }

  takeFirst(): BatchItem<Input, Output> | undefined {
    const item = this.#items.pop();
    if (item !== undefined) item.holder = undefined;
    return item;
  }
}

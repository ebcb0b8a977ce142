import { PriorityQueue } from '../../internal/collections/priority-queue.ts';
import type { BatchItem, ItemHolder } from './batch-item.ts';

/** Items that wait for room in a full queue, in the queue's own order. */
export class RoomLine<Input, Output> implements ItemHolder<Input, Output> {
  readonly #items: PriorityQueue<BatchItem<Input, Output>>;

  constructor(ageingMs: number) {
    this.#items = new PriorityQueue(ageingMs);
  }

  get size(): number {
    return this.#items.size;
  }

  add(item: BatchItem<Input, Output>): void {
    item.holder = this;
    this.#items.add(item);
  }

  drop(item: BatchItem<Input, Output>): void {
    item.holder = undefined;
    this.#items.remove(item);
  }

  takeFirst(): BatchItem<Input, Output> | undefined {
    const item = this.#items.first;
    if (item !== undefined) this.drop(item);
    return item;
  }
}

import { IndexedHeap } from '../../internal/collections/priority-queue.ts';
import type { RouteCall, RouteLine } from './route-queue.ts';

/** All calls that wait, in a line for each model. Of the lines the one with the first call goes first. */
export class RouteQueue<Target> {
  readonly #lines = new IndexedHeap<RouteLine<Target>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The line whose first call goes first, of those that are not set aside. */
  get firstLine(): RouteLine<Target> | undefined {
    return this.#lines.peek();
  }

  add(call: RouteCall<Target>): void {
    const { line } = call;
    line.add(call);
    this.#size += 1;
    if (line.heapIndex < 0) this.#lines.push(line);
    else this.#lines.update(line);
  }

  remove(call: RouteCall<Target>): void {
    const { line } = call;
    line.remove(call);
    this.#size -= 1;
    if (line.size === 0) this.#lines.remove(line);
    else this.#lines.update(line);
  }

  /** Leaves a line out of the order until it is brought back. */
  setAside(line: RouteLine<Target>): void {
    this.#lines.remove(line);
  }

  bringBack(line: RouteLine<Target>): void {
    if (line.size > 0 && line.heapIndex < 0) this.#lines.push(line);
  }

  lines(): RouteLine<Target>[] {
    return this.#lines.toArray();
  }
}

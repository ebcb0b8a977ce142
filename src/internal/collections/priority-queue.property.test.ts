import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bucket, IndexedHeap, PriorityQueue, type QueueItem } from './priority-queue.ts';

class Item implements QueueItem<Item> {
  bucket: Bucket<Item> | undefined = undefined;
  previous: Item | undefined = undefined;
  next: Item | undefined = undefined;
  readonly priority: number;
  readonly sequence: number;
  readonly atMs: number;

  constructor(priority: number, sequence: number, atMs: number) {
    this.priority = priority;
    this.sequence = sequence;
    this.atMs = atMs;
  }
}

/** A list that is sorted whenever its first item is read. */
class NaiveQueue {
  readonly #ageingMs: number;
  #items: Item[] = [];

  constructor(ageingMs: number) {
    this.#ageingMs = ageingMs;
  }

  get sorted(): Item[] {
    const aged = ({ atMs, priority }: Item) => atMs - priority * this.#ageingMs;
    const compare = (left: Item, right: Item) =>
      (this.#ageingMs === Number.POSITIVE_INFINITY ? right.priority - left.priority : aged(left) - aged(right)) ||
      left.sequence - right.sequence;
    return this.#items.toSorted(compare);
  }

  add(item: Item): void {
    this.#items.push(item);
  }

  remove(item: Item): boolean {
    const was = this.#items.length;
    this.#items = this.#items.filter((other) => other !== item);
    return this.#items.length < was;
  }
}

type Step =
  | { readonly do: 'add'; readonly priority: number; readonly afterMs: number }
  | { readonly do: 'remove' | 'again'; readonly which: number }
  | { readonly do: 'shift' };

const priorityArbitrary = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 2 }) },
  // Many priorities, so that buckets come and go.
  { weight: 2, arbitrary: fc.integer({ min: -60, max: 60 }).map((value) => value / 4) },
);

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      priority: priorityArbitrary,
      afterMs: fc.constantFrom(0, 0, 1, 7, 250, 1_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('remove', 'again'), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'shift' }) },
);

const AGEING = [1, 1_000, Number.POSITIVE_INFINITY];
const RUNS = { numRuns: 400, seed: Number(process.env['QUEUE_SEED'] ?? 20_261_128) };

describe('PriorityQueue', () => {
  it('agrees with a sorted list, whatever is added, removed and queued again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...AGEING), fc.array(stepArbitrary, { maxLength: 150 }), (ageingMs, steps) => {
        const queue = new PriorityQueue<Item>(ageingMs);
        const naive = new NaiveQueue(ageingMs);
        const all: Item[] = [];
        let nowMs = 0.5;
        for (const step of steps) {
          if (step.do === 'add') {
            nowMs += step.afterMs;
            const item = new Item(step.priority, all.length, nowMs);
            all.push(item);
            queue.add(item);
            naive.add(item);
          } else if (step.do === 'shift') {
            const first = queue.shift();
            expect(first).toBe(naive.sorted[0]);
            if (first !== undefined) naive.remove(first);
          } else {
            const item = all[step.which % Math.max(1, all.length)];
            if (item === undefined) continue;
            const removed = queue.remove(item);
            expect(removed).toBe(naive.remove(item));
            if (step.do === 'again' && removed) {
              queue.add(item);
              naive.add(item);
            }
          }
          expect(queue.first).toBe(naive.sorted[0]);
          expect(queue.size).toBe(naive.sorted.length);
          expect(queue.sequence).toBe(naive.sorted[0]?.sequence ?? Number.POSITIVE_INFINITY);
        }
        expect(queue.items().toSorted(bySequence)).toEqual(naive.sorted.toSorted(bySequence));
        for (const expected of naive.sorted) expect(queue.shift()).toBe(expected);
        expect(queue.shift()).toBeUndefined();
        expect(queue.buckets()).toEqual([]);
      }),
      RUNS,
    );
  });

  it('shares one order with other queues in a heap, as if all were one queue', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...AGEING),
        fc.array(fc.record({ flow: fc.nat({ max: 4 }), priority: priorityArbitrary, afterMs: fc.nat({ max: 90 }) })),
        (ageingMs, arrivals) => {
          const heap = new IndexedHeap<PriorityQueue<Item>>();
          const queues = Array.from({ length: 5 }, () => new PriorityQueue<Item>(ageingMs));
          const naive = new NaiveQueue(ageingMs);
          let nowMs = 0;
          for (const [sequence, { flow, priority, afterMs }] of arrivals.entries()) {
            nowMs += afterMs;
            const item = new Item(priority, sequence, nowMs);
            const queue = queues[flow];
            queue?.add(item);
            naive.add(item);
            if (queue !== undefined && queue.heapIndex < 0) heap.push(queue);
            else if (queue !== undefined) heap.update(queue);
          }
          for (const expected of naive.sorted) {
            const queue = heap.peek();
            expect(queue?.shift()).toBe(expected);
            if (queue?.size === 0) heap.remove(queue);
            else if (queue !== undefined) heap.update(queue);
          }
          expect(heap.peek()).toBeUndefined();
        },
      ),
      RUNS,
    );
  });
});

const bySequence = (left: Item, right: Item): number => left.sequence - right.sequence;

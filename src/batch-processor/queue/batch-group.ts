import { PriorityQueue } from '../../internal/collections/priority-queue.ts';
import type { Arrival } from './arrival.ts';
import type { BatchItem } from './batch-item.ts';

/** Waiting items that may share a batch. */
export class BatchGroup<Input, Output> extends PriorityQueue<BatchItem<Input, Output>> {
  readonly name: string;
  weight = 0;
  /** Its items that have waited long enough for others to share their batch. */
  due = 0;
  latest: Arrival | undefined = undefined;

  constructor(name: string, ageingMs: number) {
    super(ageingMs);
    this.name = name;
  }
}

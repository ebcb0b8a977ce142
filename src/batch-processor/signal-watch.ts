import { onAbort } from '../internal/signals.ts';
import type { BatchItem } from './batch-item.ts';

interface Watched<Input, Output> {
  readonly items: Set<BatchItem<Input, Output>>;
  readonly detach: () => void;
}

/**
 * One listener a signal, however many items share it: an EventTarget looks through all its listeners at each
 * addition, so that 10,000 items on one signal would take quadratic time.
 */
export class SignalWatch<Input, Output> {
  readonly #watched = new Map<AbortSignal, Watched<Input, Output>>();
  readonly #onAbort: (item: BatchItem<Input, Output>, reason: unknown) => void;

  constructor(onAbort: (item: BatchItem<Input, Output>, reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  /** Signals that are listened to. */
  get size(): number {
    return this.#watched.size;
  }

  /** Follows a signal that has not aborted yet. */
  add(signal: AbortSignal, item: BatchItem<Input, Output>): void {
    item.signal = signal;
    const watched = this.#watched.get(signal);
    if (watched !== undefined) {
      watched.items.add(item);
      return;
    }
    const items = new Set([item]);
    const detach = onAbort(signal, (reason) => {
      this.#watched.delete(signal);
      for (const aborted of items) this.#onAbort(aborted, reason);
    });
    this.#watched.set(signal, { items, detach });
  }

  /** Stops following for this item; the last one detaches the listener. */
  remove(item: BatchItem<Input, Output>): void {
    const { signal } = item;
    if (signal === undefined) return;
    item.signal = undefined;
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.items.delete(item);
    if (watched.items.size > 0) return;
    this.#watched.delete(signal);
    watched.detach();
  }
}

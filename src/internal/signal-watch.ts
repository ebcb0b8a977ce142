import { onAbort } from './signals.ts';

/** What ends early when its signal aborts; the watch writes the signal that it follows for it. */
export interface Watchable {
  signal: AbortSignal | undefined;
}

interface Watched<Item> {
  readonly items: Set<Item>;
  readonly detach: () => void;
}

/**
 * One listener a signal, however many items share it: an EventTarget looks through all its listeners at each
 * addition, so that 10,000 items on one signal would take quadratic time.
 */
export class SignalWatch<Item extends Watchable> {
  readonly #watched = new Map<AbortSignal, Watched<Item>>();
  readonly #onAbort: (item: Item, reason: unknown) => void;

  constructor(onAbort: (item: Item, reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  /** Signals that are listened to. */
  get size(): number {
    return this.#watched.size;
  }

  /** Follows a signal that has not aborted yet. */
  add(signal: AbortSignal, item: Item): void {
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
  remove(item: Item): void {
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

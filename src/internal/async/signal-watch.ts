/** What ends early when its signal aborts; the watch writes the signal that it follows for it. */
export interface Watchable {
  signal: AbortSignal | undefined;
}

/**
 * One listener a signal, however many items share it: an EventTarget looks through all its listeners at each
 * addition, so that 10,000 items on one signal would take quadratic time.
 */
export class SignalWatch<Item extends Watchable> {
  /** Weak, so that a wait that nobody can end any more goes with its signal. */
  readonly #watched = new WeakMap<AbortSignal, Watched<Item>>();
  readonly #abortOne: (item: Item, reason: unknown) => void;

  constructor(onAbort: (item: Item, reason: unknown) => void) {
    this.#abortOne = onAbort;
  }

  /** Follows a signal that has not aborted yet. */
  add(signal: AbortSignal, item: Item): void {
    item.signal = signal;
    const watched = this.#watched.get(signal);
    if (watched !== undefined) {
      watched.add(item);
      return;
    }
    const made = new Watched(signal, item, this.#abort);
    this.#watched.set(signal, made);
    signal.addEventListener('abort', made);
  }

  /** Stops following for this item; the last one detaches the listener. */
  remove(item: Item): void {
    const { signal } = item;
    if (signal === undefined) return;
    item.signal = undefined;
    const watched = this.#watched.get(signal);
    if (watched === undefined || !watched.remove(item)) return;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', watched);
  }

  readonly #abort = (watched: Watched<Item>): void => {
    const { signal } = watched;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', watched);
    for (const item of watched.items()) {
      // What one does may end the next, or let it follow another signal: then this one is not its any more.
      if (item.signal !== signal) continue;
      item.signal = undefined;
      this.#abortOne(item, signal.reason);
    }
  };
}

/** The items of a signal, and the listener on it: one object, for most signals have one item. */
class Watched<Item> {
  readonly signal: AbortSignal;
  readonly #abortOne: (watched: Watched<Item>) => void;
  #only: Item | undefined;
  #more: Set<Item> | undefined = undefined;

  constructor(signal: AbortSignal, item: Item, onAbort: (watched: Watched<Item>) => void) {
    this.signal = signal;
    this.#only = item;
    this.#abortOne = onAbort;
  }

  handleEvent(): void {
    this.#abortOne(this);
  }

  add(item: Item): void {
    if (this.#more !== undefined) {
      this.#more.add(item);
    } else {
      this.#more = new Set(this.#only === undefined ? [item] : [this.#only, item]);
      this.#only = undefined;
    }
  }

  /** Tells whether none is left. */
  remove(item: Item): boolean {
    if (this.#more === undefined) {
      if (this.#only === item) this.#only = undefined;
      return this.#only === undefined;
    }
    this.#more.delete(item);
    return this.#more.size === 0;
  }

  items(): Iterable<Item> {
    return this.#more ?? (this.#only === undefined ? [] : [this.#only]);
  }
}

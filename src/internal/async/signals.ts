import { type Clock, systemClock } from '../clock.ts';

/** An item that ends early when its signal aborts. Only the watch writes the field. */
export interface Watchable {
  signal: AbortSignal | undefined;
}

interface Watched<Item> {
  readonly items: Set<Item>;
  readonly listener: () => void;
}

/**
 * Attaches one listener to a signal, however many items share it. An EventTarget searches its listeners at each
 * addition, so that 10,000 items on one signal would take quadratic time.
 */
export class SignalWatch<Item extends Watchable> {
  /** Weak, so that a wait that nothing can end any longer is collected with its signal. */
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
      watched.items.add(item);
      return;
    }
    const items = new Set([item]);
    const listener = () => this.#abort(signal, items);
    this.#watched.set(signal, { items, listener });
    signal.addEventListener('abort', listener, { once: true });
  }

  /** Stops following for this item. The last one detaches the listener. */
  remove(item: Item): void {
    const { signal } = item;
    if (signal === undefined) return;
    item.signal = undefined;
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.items.delete(item);
    if (watched.items.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', watched.listener);
  }

  #abort(signal: AbortSignal, items: ReadonlySet<Item>): void {
    this.#watched.delete(signal);
    for (const item of items) {
      // An earlier item may have ended this one, or made it follow another signal.
      if (item.signal !== signal) continue;
      item.signal = undefined;
      this.#abortOne(item, signal.reason);
    }
  }
}

interface Waiting extends Watchable {
  readonly listener: (reason: unknown) => void;
}

/** One for the whole process: ten thousand calls may share one signal of their caller. */
const watch = new SignalWatch<Waiting>(({ listener }, reason) => listener(reason));

/**
 * Calls `listener` once when `signal` aborts, or at once when it already has. Returns the function that detaches it.
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener(signal.reason);
    return () => {};
  }
  const waiting: Waiting = { signal: undefined, listener };
  watch.add(signal, waiting);
  return () => watch.remove(waiting);
}

/** A controller that follows parent signals and leaves no listener on them once detached. */
export interface ChildController {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Stops following the parents. Call it when the work has ended, on every path. */
  detach(): void;
}

/**
 * Makes a controller that aborts with the first parent that does. Unlike `AbortSignal.any` it holds nothing on
 * long-lived parents after `detach()`.
 */
export function childController(...parents: (AbortSignal | undefined)[]): ChildController {
  const controller = new AbortController();
  const detachers: (() => void)[] = [];
  const detach = () => {
    for (const detacher of detachers.splice(0)) detacher();
  };
  const follow = (reason: unknown) => {
    controller.abort(reason);
    detach();
  };
  for (const parent of parents) {
    if (controller.signal.aborted) break;
    if (parent !== undefined) detachers.push(onAbort(parent, follow));
  }
  if (controller.signal.aborted) detach();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), detach };
}

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as it aborts. A later rejection of `work` is
 * never unhandled.
 */
export function raceSignal<Value>(work: PromiseLike<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise<Value>((resolve, reject) => {
    settleAfter(onAbort(signal, reject), work, resolve, reject);
  });
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts; the timer is cleared then. */
export function sleep(
  delayMs: number,
  { signal, clock = systemClock }: { readonly signal?: AbortSignal | undefined; readonly clock?: Clock } = {},
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = clock.setTimeout(() => {
      detach();
      resolve();
    }, delayMs);
    const detach = onAbort(signal, (reason) => {
      clock.clearTimeout(timer);
      reject(reason);
    });
  });
}

/**
 * Settles as `work` does, or rejects with `makeError()` after `timeoutMs`. The timer is cleared when `work` settles. A
 * later rejection of `work` is never unhandled.
 */
export function withTimeout<Value>(
  work: PromiseLike<Value>,
  timeoutMs: number,
  makeError: () => unknown,
  clock: Clock = systemClock,
): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(makeError()), timeoutMs);
    settleAfter(() => clock.clearTimeout(timer), work, resolve, reject);
  });
}

/** Settles by `resolve` or `reject` as `work` does, after `cleanUp`. Cheaper than `finally` and `then`. */
export function settleAfter<Value>(
  cleanUp: () => void,
  work: PromiseLike<Value>,
  resolve: (value: Value) => void,
  reject: (reason: unknown) => void,
): void {
  work.then(
    (value) => {
      cleanUp();
      resolve(value);
    },
    (reason: unknown) => {
      cleanUp();
      reject(reason);
    },
  );
}

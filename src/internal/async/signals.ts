import { type Clock, systemClock } from '../clock.ts';
import { SignalWatch } from './signal-watch.ts';

/** Runs `listener` once when `signal` aborts, at once when it already has. Returns the function that detaches it. */
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

interface Waiting {
  signal: AbortSignal | undefined;
  readonly listener: (reason: unknown) => void;
}

/** Ten thousand calls may share one signal of their caller's. */
const watch = new SignalWatch<Waiting>(({ listener }, reason) => listener(reason));

/** A controller of its own that follows a parent signal and leaves no listener on it once detached. */
export interface ChildController {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Stops following the parents. Call it when the work ended, on every path. */
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
  for (const parent of parents) {
    if (parent === undefined) continue;
    if (controller.signal.aborted) break;
    detachers.push(
      onAbort(parent, (reason) => {
        controller.abort(reason);
        detach();
      }),
    );
  }
  if (controller.signal.aborted) detach();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), detach };
}

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as it aborts. What `work` does afterwards is
 * swallowed, so it never becomes an unhandled rejection.
 */
export function raceSignal<Value>(work: PromiseLike<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise<Value>((resolve, reject) => {
    const detach = onAbort(signal, reject);
    work.then(
      (value) => {
        detach();
        resolve(value);
      },
      (reason: unknown) => {
        detach();
        reject(reason);
      },
    );
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
 * Settles as `work` does, or rejects with `makeError()` after `timeoutMs`. The timer is cleared when work settles;
 * what `work` does later is swallowed.
 */
export function withTimeout<Value>(
  work: PromiseLike<Value>,
  timeoutMs: number,
  makeError: () => unknown,
  clock: Clock = systemClock,
): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(makeError()), timeoutMs);
    work.then(
      (value) => {
        clock.clearTimeout(timer);
        resolve(value);
      },
      (reason: unknown) => {
        clock.clearTimeout(timer);
        reject(reason);
      },
    );
  });
}

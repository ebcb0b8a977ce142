/** Handle of a pending timer. Only the clock that made it can read it. */
export type TimerHandle = object | number;

/**
 * The only source of time in this package: a monotonic `now()` and timers.
 * Tests pass a `ManualClock` from `@describe-it/sdk/testing`.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin, with a fraction. */
  now(): number;
  /** Calls `callback` once after at least `delayMs` milliseconds. */
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  /** Cancels a pending timer; a fired or cancelled one is ignored. */
  clearTimeout(handle: TimerHandle): void;
}

/** Longest delay that a Node timer can hold; longer ones would fire at once. */
export const MAX_TIMER_DELAY_MS = 2 ** 31 - 1;

/** The clock of the process. Arrow functions, so that fake timers that are installed later are used. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, MAX_TIMER_DELAY_MS)),
  clearTimeout: (handle) => {
    clearTimeout(handle as NodeJS.Timeout);
  },
};

/** Milliseconds since the Unix epoch. Only for an expiry that is stored outside the process. */
export const wallClockNow = (): number => Date.now();

/** Starts a timer that never keeps the process alive. For background work, not for work that a caller awaits. */
export function setBackgroundTimeout(clock: Clock, callback: () => void, delayMs: number): TimerHandle {
  const handle = clock.setTimeout(callback, delayMs);
  if (typeof handle === 'object' && 'unref' in handle && typeof handle.unref === 'function') handle.unref();
  return handle;
}

/** Repeats `callback` after every `intervalMs` without keeping the process alive. Call what it returns to stop. */
export function setBackgroundInterval(clock: Clock, callback: () => void, intervalMs: number): () => void {
  const arm = () => setBackgroundTimeout(clock, tick, intervalMs);
  const tick = () => {
    timer = arm();
    callback();
  };
  let timer = arm();
  return () => clock.clearTimeout(timer);
}

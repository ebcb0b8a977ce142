import type { Clock, TimerHandle } from '@describe-it/sdk';

/** Taken before anything is patched. */
const real = { setTimeout, clearTimeout, dateNow: Date.now };

/** Wall time at which every virtual clock starts. */
const EPOCH_MS = 1_800_000_000_000;
/** A real timer up to this long, set by the fake server, is waited for: it sends the rest of a broken answer. */
const SHORT_TIMER_MS = 100;

class VirtualTimer {
  readonly dueAtMs: number;
  readonly callback: () => void;

  constructor(dueAtMs: number, callback: () => void) {
    this.dueAtMs = dueAtMs;
    this.callback = callback;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** A clock that moves from one due timer to the next, and only when told. */
export class VirtualClock implements Clock {
  #nowMs = 1_000;
  readonly #timers = new Set<VirtualTimer>();

  readonly now = (): number => this.#nowMs;

  readonly setTimeout = (callback: () => void, delayMs: number): TimerHandle => {
    const timer = new VirtualTimer(this.#nowMs + Math.max(0, delayMs), callback);
    this.#timers.add(timer);
    return timer;
  };

  readonly clearTimeout = (handle: TimerHandle): void => {
    this.#timers.delete(handle as VirtualTimer);
  };

  /** When the next timer is due; undefined without one. */
  get nextDueAtMs(): number | undefined {
    return this.#next()?.dueAtMs;
  }

  /** Moves to the next due timer, the one set first of several, and calls it. */
  fireNext(): void {
    const timer = this.#next();
    if (timer === undefined) return;
    this.#timers.delete(timer);
    this.moveTo(timer.dueAtMs);
    timer.callback();
  }

  moveTo(timeMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, timeMs);
  }

  #next(): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.dueAtMs < next.dueAtMs) next = timer;
    return next;
  }
}

/** What the process believes of time and chance, as the scenario that runs wants it. */
export interface Globals {
  /** Time of the engines and of `Date.now()`; `undefined` for the system's. Seeds `Math.random` too. */
  use(clock: VirtualClock | undefined, seed: number): void;
  /** Whether the fake server waits for a moment of real time. */
  readonly waitsForShortTimer: boolean;
}

/**
 * Patches the global timers, `Date.now` and `Math.random`. To be called before any code of the package is loaded, for
 * some of it keeps what it finds at load.
 *
 * Chance depends on the seed and the time alone, so that code which draws more or less often changes nothing else.
 */
export function patchGlobals(): Globals {
  let clock: VirtualClock | undefined;
  let seed = 0;
  const short = new Set<unknown>();

  const patchedSetTimeout = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): unknown => {
    const caller = callerOf(new Error().stack);
    if (clock !== undefined && caller === 'engine') return clock.setTimeout(() => callback(...args), delayMs);
    if (caller !== 'fake' || delayMs > SHORT_TIMER_MS) return real.setTimeout(callback, delayMs, ...args);
    const timer = real.setTimeout(() => {
      short.delete(timer);
      callback(...args);
    }, delayMs);
    short.add(timer);
    return timer;
  };
  const patchedClearTimeout = (handle: unknown): void => {
    short.delete(handle);
    if (handle instanceof VirtualTimer) clock?.clearTimeout(handle);
    else real.clearTimeout(handle as NodeJS.Timeout);
  };
  globalThis.setTimeout = patchedSetTimeout as unknown as typeof setTimeout;
  globalThis.clearTimeout = patchedClearTimeout as typeof clearTimeout;
  Date.now = () => (clock === undefined ? real.dateNow() : EPOCH_MS + Math.round(clock.now()));
  Math.random = () => hashRatio(seed, clock === undefined ? 0 : Math.round(clock.now() * 1000));
  return {
    use(nextClock, nextSeed) {
      clock = nextClock;
      seed = nextSeed;
    },
    get waitsForShortTimer() {
      return short.size > 0;
    },
  };
}

function callerOf(stack = ''): 'engine' | 'fake' | 'other' {
  const frames = stack.split('\n').slice(1, 5).join('\n');
  if (/node_modules\/(opossum|generic-pool)\//.test(frames)) return 'engine';
  return /\/src\/testing\//.test(frames) ? 'fake' : 'other';
}

/** A number in [0, 1) that is the same for the same two integers (the finisher of MurmurHash3). */
export function hashRatio(seed: number, index: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index | 0, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Resolves after so much real time. */
export const realPause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    real.setTimeout(resolve, delayMs);
  });

import { onAbort } from '../../internal/async/signals.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';

/** One who waits: handed something by `resolve`, or told why not by `reject`, exactly once. */
export class Waiter<Item> {
  readonly priority: number;
  readonly timeoutMs: number;
  readonly dueAtMs: number;
  readonly resolve: (item: Item) => void;
  readonly reject: (reason: unknown) => void;
  /** Where it joined, kept only while leaks are looked for. */
  joinedAt: Error | undefined;
  /** Whether something is being made for this waiter. */
  claimed = false;
  previous: Waiter<Item> | undefined;
  next: Waiter<Item> | undefined;
  level: Level<Item> | undefined;
  detach: (() => void) | undefined;
  timer: TimerHandle | undefined;

  constructor(
    priority: number,
    timeoutMs: number,
    dueAtMs: number,
    resolve: (item: Item) => void,
    reject: (reason: unknown) => void,
  ) {
    this.priority = priority;
    this.timeoutMs = timeoutMs;
    this.dueAtMs = dueAtMs;
    this.resolve = resolve;
    this.reject = reject;
  }
}

interface Level<Item> {
  readonly priority: number;
  first: Waiter<Item> | undefined;
  last: Waiter<Item> | undefined;
}

export interface WaitingLineOptions<Item> {
  readonly clock: Clock;
  /** The common bound of a wait. */
  readonly timeoutMs: number;
  /** Makes the reason of a waiter whose time is up. */
  readonly timedOut: (waiter: Waiter<Item>) => unknown;
  /** Told of every waiter that left unserved, after it left. */
  readonly left: (waiter: Waiter<Item>, why: 'timeout' | 'abort') => void;
}

/**
 * A line by priority, first come first served within one, that anybody can leave at any moment in constant time.
 *
 * Waiters with the common timeout fall due in the order they came, so one timer serves all of them, and it is left
 * armed while the line empties and fills: a timer per wait would cost more than the wait itself. Only a waiter with
 * a timeout of its own has a timer of its own.
 */
export class WaitingLine<Item> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #timedOut: (waiter: Waiter<Item>) => unknown;
  readonly #left: (waiter: Waiter<Item>, why: 'timeout' | 'abort') => void;
  /** Never empty levels, highest priority first. */
  readonly #levels: Level<Item>[] = [];
  #size = 0;
  #claimed = 0;
  readonly #grip: Grip<WaitingLine<Item>>;
  #sweep: TimerHandle | undefined;

  constructor({ clock, timeoutMs, timedOut, left }: WaitingLineOptions<Item>) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#timedOut = timedOut;
    this.#left = left;
    this.#grip = { weak: new WeakRef(this), strong: undefined };
  }

  get size(): number {
    return this.#size;
  }

  /** How many of them have something being made for them. */
  get claimed(): number {
    return this.#claimed;
  }

  /** Adds one to the end of its priority. `onJoined` runs before the promise is returned. */
  join(
    priority: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    onJoined?: (waiter: Waiter<Item>) => void,
  ): Promise<Item> {
    return new Promise<Item>((resolve, reject) => {
      const dueAtMs = this.#clock.now() + timeoutMs;
      const waiter = new Waiter<Item>(priority, timeoutMs, dueAtMs, resolve, reject);
      this.#append(waiter);
      if (timeoutMs === this.#timeoutMs) this.#armSweep(dueAtMs);
      else waiter.timer = this.#clock.setTimeout(() => this.#expire(waiter), timeoutMs);
      if (signal !== undefined) {
        waiter.detach = onAbort(signal, (reason) => {
          this.#leave(waiter);
          waiter.reject(reason);
          this.#left(waiter, 'abort');
        });
      }
      onJoined?.(waiter);
    });
  }

  /** Takes the first of the highest priority out of the line. */
  shift(): Waiter<Item> | undefined {
    const waiter = this.#levels[0]?.first;
    if (waiter !== undefined) this.#leave(waiter);
    return waiter;
  }

  /** Takes this one out, wherever it stands; false when it had left already. */
  remove(waiter: Waiter<Item>): boolean {
    if (waiter.level === undefined) return false;
    this.#leave(waiter);
    return true;
  }

  /** Marks the first in line for whom nothing is being made, and returns it. */
  claim(): Waiter<Item> | undefined {
    for (const level of this.#levels) {
      for (let waiter = level.first; waiter !== undefined; waiter = waiter.next) {
        if (waiter.claimed) continue;
        waiter.claimed = true;
        this.#claimed += 1;
        return waiter;
      }
    }
    return undefined;
  }

  /** Takes the mark off again: what was being made for this waiter is made. */
  unclaim(waiter: Waiter<Item>): void {
    if (!waiter.claimed || waiter.level === undefined) return;
    waiter.claimed = false;
    this.#claimed -= 1;
  }

  /** Rejects everybody and drops the timer. */
  clear(makeReason: () => unknown): void {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) waiter.reject(makeReason());
    this.stop();
  }

  /** Drops the timer of an empty line for good. */
  stop(): void {
    if (this.#sweep !== undefined) this.#clock.clearTimeout(this.#sweep);
    this.#sweep = undefined;
  }

  #append(waiter: Waiter<Item>): void {
    const level = this.#levelOf(waiter.priority);
    waiter.level = level;
    waiter.previous = level.last;
    if (level.last === undefined) level.first = waiter;
    else level.last.next = waiter;
    level.last = waiter;
    this.#size += 1;
    if (this.#size === 1) {
      this.#grip.strong = this;
      holdProcess(this.#sweep, true);
    }
  }

  #levelOf(priority: number): Level<Item> {
    let index = 0;
    for (; index < this.#levels.length; index += 1) {
      const level = this.#levels[index];
      if (level === undefined || level.priority < priority) break;
      if (level.priority === priority) return level;
    }
    const level: Level<Item> = { priority, first: undefined, last: undefined };
    this.#levels.splice(index, 0, level);
    return level;
  }

  #leave(waiter: Waiter<Item>): void {
    const { level, previous, next } = waiter;
    if (level === undefined) return;
    if (previous === undefined) level.first = next;
    else previous.next = next;
    if (next === undefined) level.last = previous;
    else next.previous = previous;
    if (level.first === undefined) this.#levels.splice(this.#levels.indexOf(level), 1);
    waiter.level = undefined;
    waiter.previous = undefined;
    waiter.next = undefined;
    waiter.detach?.();
    if (waiter.timer !== undefined) this.#clock.clearTimeout(waiter.timer);
    this.#size -= 1;
    if (waiter.claimed) this.#claimed -= 1;
    if (this.#size === 0) {
      this.#grip.strong = undefined;
      holdProcess(this.#sweep, false);
    }
  }

  #expire(waiter: Waiter<Item>): void {
    this.#leave(waiter);
    waiter.reject(this.#timedOut(waiter));
    this.#left(waiter, 'timeout');
  }

  #armSweep(dueAtMs: number): void {
    if (this.#sweep !== undefined) return;
    // A busy moment may have passed it already, and Node warns of a negative delay.
    const delayMs = Math.max(0, dueAtMs - this.#clock.now());
    this.#sweep = this.#clock.setTimeout(WaitingLine.#sweepOf(this.#grip), delayMs);
  }

  /** Captures the grip alone, not the line. */
  static #sweepOf<Item>(grip: Grip<WaitingLine<Item>>): () => void {
    return () => (grip.strong ?? grip.weak.deref())?.sweepExpired();
  }

  private sweepExpired(): void {
    const now = this.#clock.now();
    const due: Waiter<Item>[] = [];
    for (const level of this.#levels) {
      for (const waiter of untimed(level)) {
        if (waiter.dueAtMs > now) break;
        due.push(waiter);
      }
    }
    // Whoever is told of one may make others leave, or come: they must not arm the timer before those who wait.
    for (const waiter of due) if (waiter.level !== undefined) this.#expire(waiter);
    this.#sweep = undefined;
    let nextDueAtMs = Number.POSITIVE_INFINITY;
    for (const level of this.#levels) {
      for (const { dueAtMs } of untimed(level)) {
        nextDueAtMs = Math.min(nextDueAtMs, dueAtMs);
        break;
      }
    }
    if (Number.isFinite(nextDueAtMs)) this.#armSweep(nextDueAtMs);
  }
}

/**
 * What the common timer knows its line by: strongly while somebody waits, who is to be told, and else only weakly, so
 * that the timer keeps no line alive that nobody holds.
 */
interface Grip<Line extends object> {
  readonly weak: WeakRef<Line>;
  strong: Line | undefined;
}

/** The waiters of a level that have no timer of their own, so in the order in which they fall due. */
function* untimed<Item>(level: Level<Item>): Generator<Waiter<Item>> {
  for (let waiter = level.first; waiter !== undefined; waiter = waiter.next) {
    if (waiter.timer === undefined) yield waiter;
  }
}

/** Lets a timer hold the process or not, where the clock's handles know how. */
function holdProcess(handle: TimerHandle | undefined, hold: boolean): void {
  if (typeof handle !== 'object' || !('ref' in handle) || !('unref' in handle)) return;
  const timer = handle as { ref(): unknown; unref(): unknown };
  if (hold) timer.ref();
  else timer.unref();
}

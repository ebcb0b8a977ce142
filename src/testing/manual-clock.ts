import type { Clock, TimerHandle } from '../internal/clock.ts';

/** The part of vitest's `vi` (or of a similar tool) that moves faked global timers. */
export interface FakeTimers {
  advanceTimersByTimeAsync(durationMs: number): Promise<unknown>;
}

export interface ManualClockOptions {
  /** First reading of `now()`, in milliseconds. @defaultValue 0 */
  readonly startMs?: number;
  /** Faked global timers that move with this clock, for dependencies that use global timers. */
  readonly fakeTimers?: FakeTimers;
}

interface PendingTimer {
  readonly id: number;
  readonly dueAtMs: number;
  readonly callback: () => void;
}

// Taken at load, so that a test that fakes globals later can still yield to the event loop.
const realSetImmediate = setImmediate;

/**
 * A clock that moves only when told. Timers fire in the order of their due time, then of their creation, and promises
 * settle between any two of them.
 *
 * @example
 * ```ts
 * import { ManualClock } from '@describe-it/sdk/testing';
 *
 * const clock = new ManualClock();
 * clock.setTimeout(() => console.log('a minute later'), 60_000);
 * await clock.advance(60_000);
 * ```
 */
export class ManualClock implements Clock {
  #nowMs: number;
  #nextId = 1;
  readonly #timers = new Map<number, PendingTimer>();
  readonly #fakeTimers: FakeTimers | undefined;

  constructor({ startMs = 0, fakeTimers }: ManualClockOptions = {}) {
    this.#nowMs = startMs;
    this.#fakeTimers = fakeTimers;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#timers.set(id, { id, dueAtMs: this.#nowMs + Math.max(0, delayMs), callback });
    return id;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle as number);
  }

  /** Timers that have neither fired nor been cleared: after a `close()` there should be none. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time forward, fires what falls due on the way, and lets promises settle after each. */
  async advance(durationMs: number): Promise<void> {
    const targetMs = this.#nowMs + durationMs;
    await this.flush();
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      await this.#moveTo(next.dueAtMs);
      if (this.#timers.delete(next.id)) next.callback();
      await this.flush();
    }
    await this.#moveTo(targetMs);
    await this.flush();
  }

  /** Lets every promise that can settle do so, without moving time. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => {
      realSetImmediate(resolve);
    });
  }

  async #moveTo(timeMs: number): Promise<void> {
    const stepMs = Math.max(0, timeMs - this.#nowMs);
    this.#nowMs = Math.max(this.#nowMs, timeMs);
    if (stepMs > 0) await this.#fakeTimers?.advanceTimersByTimeAsync(stepMs);
  }

  #nextDue(limitMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.dueAtMs > limitMs) continue;
      if (next === undefined || timer.dueAtMs < next.dueAtMs) next = timer;
    }
    return next;
  }
}

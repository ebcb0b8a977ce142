import { ClosedError } from '../../errors/closed-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import type { AdmissionTicket } from './admission.ts';

/** Counts of the calls of a client. */
export interface CallStats {
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Retries that were made. */
export interface RetryTally {
  made: number;
}

/** The bounds of one call: its own signal and the time it must end at. */
export interface CallBounds {
  readonly signal: AbortSignal;
  readonly deadlineAtMs: number;
  /** Retries of its request, in whatever form of its image: all forms share one limit. */
  readonly retries?: RetryTally | undefined;
  /** Its admission, with the capacity that its image takes. */
  readonly ticket?: AdmissionTicket | undefined;
}

/** Runs work within its bounds. */
export interface BoundedWork<Value> {
  readonly timeoutMs: number;
  /** Signals that end the work with their reason. */
  readonly signals: readonly (AbortSignal | undefined)[];
  /** When the work began. @defaultValue now */
  readonly startedAtMs?: number;
  run(bounds: CallBounds): Promise<Value>;
}

/**
 * Knows the calls in work: gives each its deadline, refuses new ones after the end, and notifies when the last has
 * settled.
 */
export class CallRegister {
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  /** Aborts of the calls in work: a listener each would make every call look through those of all others. */
  readonly #aborts = new Set<(reason: unknown) => void>();
  readonly #refusing = new AbortController();
  #active = 0;
  #held = 0;
  #succeeded = 0;
  #failed = 0;
  #idle: Deferred<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return !this.#refusing.signal.aborted;
  }

  /** @throws `DESCRIBE_CLOSED` after `refuse()` or `end()`. */
  assertOpen(): void {
    if (!this.isOpen) throw new ClosedError('the client');
  }

  /** Aborts with `DESCRIBE_CLOSED` when no more calls are taken. */
  get refused(): AbortSignal {
    return this.#refusing.signal;
  }

  /** Aborts when the client is destroyed. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Counts a call that has been answered at once. */
  countAnswered(): void {
    this.#succeeded += 1;
  }

  /** Runs a call within its bounds and counts it. */
  async track<Value>(call: BoundedWork<Value>): Promise<Value> {
    this.#active += 1;
    try {
      const value = await this.#within(call);
      this.#succeeded += 1;
      return value;
    } catch (error) {
      this.#failed += 1;
      throw error;
    } finally {
      this.#active -= 1;
      this.#notifyIdle();
    }
  }

  /** Runs work that is no call within its bounds; it ends before the parts are closed. */
  async hold<Value>(work: BoundedWork<Value>): Promise<Value> {
    this.#held += 1;
    try {
      return await this.#within(work);
    } finally {
      this.#held -= 1;
      this.#notifyIdle();
    }
  }

  refuse(): void {
    this.#refusing.abort(new ClosedError('the client'));
  }

  /** Refuses new calls and aborts those in work with `reason`. */
  end(reason: unknown): void {
    this.refuse();
    this.#ended.abort(reason);
    for (const abort of this.#aborts) abort(reason);
  }

  /** Resolves when nothing is in work. */
  drained(): Promise<void> {
    if (this.#active + this.#held === 0) return Promise.resolve();
    this.#idle ??= new Deferred();
    return this.#idle.promise;
  }

  stats(): CallStats {
    return { active: this.#active, succeeded: this.#succeeded, failed: this.#failed };
  }

  /**
   * Runs work under one deadline. Its signal aborts with the caller's reason, the reason of the client's end, or
   * `DESCRIBE_TIMEOUT`. Every listener and timer is gone when the work has settled.
   */
  async #within<Value>({ timeoutMs, signals, startedAtMs, run }: BoundedWork<Value>): Promise<Value> {
    const { signal, abort, detach } = childController(...signals);
    const deadlineAtMs = (startedAtMs ?? this.#clock.now()) + timeoutMs;
    const timer = this.#clock.setTimeout(() => abort(new TimeoutError('the call', timeoutMs)), timeoutMs);
    this.#aborts.add(abort);
    try {
      this.#ended.signal.throwIfAborted();
      signal.throwIfAborted();
      return await run({ signal, deadlineAtMs });
    } finally {
      this.#clock.clearTimeout(timer);
      this.#aborts.delete(abort);
      detach();
    }
  }

  #notifyIdle(): void {
    if (this.#active + this.#held === 0) this.#idle?.resolve();
  }
}

import { ClosedError } from '../../errors/closed-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';

/** Counts of the calls of a client. */
export interface CallStats {
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Knows the calls in work: refuses new ones after the end, and tells when the last has settled. */
export class CallRegister {
  readonly #ended = new AbortController();
  /** Aborts of the calls in work: a listener each would make every call look through those of all others. */
  readonly #aborts = new Set<(reason: unknown) => void>();
  readonly #refusing = new AbortController();
  #active = 0;
  #held = 0;
  #succeeded = 0;
  #failed = 0;
  #idle: Deferred<void> | undefined;

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

  /** Calls `abort` when the client is destroyed, until the function returned is called. */
  onEnd(abort: (reason: unknown) => void): () => void {
    this.#aborts.add(abort);
    return () => this.#aborts.delete(abort);
  }

  /** Counts a call that has been answered at once. */
  countAnswered(): void {
    this.#succeeded += 1;
  }

  /** Runs a call and counts it. */
  async track<Value>(run: () => Promise<Value>): Promise<Value> {
    this.#active += 1;
    try {
      const value = await run();
      this.#succeeded += 1;
      return value;
    } catch (error) {
      this.#failed += 1;
      throw error;
    } finally {
      this.#active -= 1;
      this.#tellIdle();
    }
  }

  /** Runs what is no call, but must have ended before the parts are closed. */
  async hold<Value>(run: () => Promise<Value>): Promise<Value> {
    this.#held += 1;
    try {
      return await run();
    } finally {
      this.#held -= 1;
      this.#tellIdle();
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
    if (this.#isIdle) return Promise.resolve();
    this.#idle ??= new Deferred();
    return this.#idle.promise;
  }

  stats(): CallStats {
    return { active: this.#active, succeeded: this.#succeeded, failed: this.#failed };
  }

  get #isIdle(): boolean {
    return this.#active + this.#held === 0;
  }

  #tellIdle(): void {
    if (this.#isIdle) this.#idle?.resolve();
  }
}

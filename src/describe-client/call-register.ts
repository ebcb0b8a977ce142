import { ClosedError } from '../errors/closed-error.ts';
import { Deferred } from '../internal/deferred.ts';

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
  #open = true;
  #active = 0;
  #succeeded = 0;
  #failed = 0;
  #idle: Deferred<void> | undefined;

  get isOpen(): boolean {
    return this.#open;
  }

  /** @throws `DESCRIBE_CLOSED` after `refuse()` or `end()`. */
  assertOpen(): void {
    if (!this.#open) throw new ClosedError('the client');
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
      if (this.#active === 0) this.#idle?.resolve();
    }
  }

  refuse(): void {
    this.#open = false;
  }

  /** Refuses new calls and aborts those in work with `reason`. */
  end(reason: unknown): void {
    this.refuse();
    this.#ended.abort(reason);
    for (const abort of this.#aborts) abort(reason);
  }

  /** Resolves when no call is in work. */
  drained(): Promise<void> {
    if (this.#active === 0) return Promise.resolve();
    this.#idle ??= new Deferred();
    return this.#idle.promise;
  }

  stats(): CallStats {
    return { active: this.#active, succeeded: this.#succeeded, failed: this.#failed };
  }
}

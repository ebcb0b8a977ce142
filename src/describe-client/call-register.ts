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

  /** Runs a call and counts it; `ended` aborts it when the client is destroyed. */
  async track<Value>(run: (ended: AbortSignal) => Promise<Value>): Promise<Value> {
    this.#active += 1;
    try {
      const value = await run(this.#ended.signal);
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

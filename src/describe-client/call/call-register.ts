import { ClosedError } from '../../errors/closed-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { onAbandoned, weakly } from '../../internal/async/abandoned.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { childController, onAbort } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import type { AskBounds } from '../attempt/vision-asker.ts';
import type { CallDeltas } from './call-deltas.ts';
import type { CallTicket } from './refused-ticket.ts';

/** Counts of the calls of a client. */
export interface CallStats {
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** The bounds of one call. */
export interface CallBounds extends AskBounds {
  /** Its admission, with the capacity that its image takes. */
  readonly ticket: CallTicket;
  /** Follows the answer as it arrives, for a call that wants it streamed. */
  readonly deltas?: CallDeltas | undefined;
}

/** Work with a deadline. `isCall` makes it count as a call. */
export interface BoundedWork<Value> {
  readonly isCall: boolean;
  readonly timeoutMs: number;
  /** Signals that end the work with their reason. */
  readonly signals: readonly (AbortSignal | undefined)[];
  /** When the work began. @defaultValue now */
  readonly startedAtMs?: number;
  run(bounds: AskBounds): Promise<Value>;
}

/**
 * Registers the calls in work. It gives each its deadline, refuses new ones after the end, and notifies when the last
 * has settled.
 */
export class CallRegister {
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  /**
   * Abort functions of the calls in work. With a listener each, every call would search through those of all others.
   */
  readonly #aborts = new Set<(reason: unknown) => void>();
  readonly #refusing = new AbortController();
  readonly #calls = { active: 0, succeeded: 0, failed: 0 };
  /** Work that is no call. */
  readonly #others = { active: 0, succeeded: 0, failed: 0 };
  #idle: Deferred<void> | undefined;
  /** The register of the client that this one's tenant belongs to. */
  readonly #client: CallRegister | undefined;
  #isLinked = false;

  /** @param client - Ends this register together with itself, and waits for its work. */
  constructor(clock: Clock, client?: CallRegister) {
    this.#clock = clock;
    this.#client = client;
  }

  get isOpen(): boolean {
    return !this.#refusing.signal.aborted && this.#client?.isOpen !== false;
  }

  /** @throws `DESCRIBE_CLOSED` after `refuse()` or `end()`. */
  assertOpen(): void {
    if (this.#refusing.signal.aborted) throw new ClosedError('the client');
    if (this.#client !== undefined) this.#client.assertOpen();
  }

  /**
   * Aborts when no more calls are taken: with the reason of `end()`, otherwise with `DESCRIBE_CLOSED`. What begins
   * later gets `DESCRIBE_CLOSED` in any case.
   */
  get refused(): AbortSignal {
    if (!this.isOpen) return AbortSignal.abort(new ClosedError('the client'));
    this.#link();
    return this.#refusing.signal;
  }

  /** Aborts when the client is destroyed. */
  get ended(): AbortSignal {
    const client = this.#client?.ended;
    return client?.aborted ? client : this.#ended.signal;
  }

  /** Counts a call that was answered at once. */
  countAnswered(): void {
    this.#calls.succeeded += 1;
  }

  /**
   * Runs work under one deadline; it ends before the parts are closed. Its signal aborts with the caller's reason, the
   * reason of the client's end, or `DESCRIBE_TIMEOUT`. When the work has settled, all its listeners and timers are
   * gone.
   */
  async run<Value>({ isCall, timeoutMs, signals, startedAtMs, run }: BoundedWork<Value>): Promise<Value> {
    const { signal, abort, detach } = childController(...signals);
    const deadlineAtMs = (startedAtMs ?? this.#clock.now()) + timeoutMs;
    const timer = this.#clock.setTimeout(() => abort(new TimeoutError('the call', timeoutMs)), timeoutMs);
    const counts = isCall ? this.#calls : this.#others;
    this.#aborts.add(abort);
    counts.active += 1;
    if (this.#client !== undefined) this.#client.#enters(abort);
    try {
      if (this.#client !== undefined) this.#client.#ended.signal.throwIfAborted();
      this.#ended.signal.throwIfAborted();
      signal.throwIfAborted();
      const value = await run({ signal, deadlineAtMs });
      counts.succeeded += 1;
      return value;
    } catch (error) {
      counts.failed += 1;
      throw error;
    } finally {
      this.#clock.clearTimeout(timer);
      this.#aborts.delete(abort);
      detach();
      counts.active -= 1;
      if (this.#idle !== undefined && this.#isIdle) this.#idle.resolve();
      if (this.#client !== undefined) this.#client.#leaves(abort);
    }
  }

  refuse(reason: unknown = new ClosedError('the client')): void {
    this.#refusing.abort(reason);
  }

  /** Refuses new calls and aborts those in work with `reason`. */
  end(reason: unknown): void {
    this.refuse(reason);
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
    return { ...this.#calls };
  }

  /** Work of a tenant begins. */
  #enters(abort: (reason: unknown) => void): void {
    this.#aborts.add(abort);
    this.#others.active += 1;
  }

  #leaves(abort: (reason: unknown) => void): void {
    this.#aborts.delete(abort);
    this.#others.active -= 1;
    if (this.#idle !== undefined && this.#isIdle) this.#idle.resolve();
  }

  /** Refuses once the client does. Held weakly: a tenant's client need not be closed. */
  #link(): void {
    if (this.#client === undefined || this.#isLinked) return;
    this.#isLinked = true;
    const refuse = weakly(this, (register: CallRegister, reason: unknown) => register.refuse(reason));
    onAbandoned(this, onAbort(this.#client.refused, refuse));
  }

  get #isIdle(): boolean {
    return this.#calls.active + this.#others.active === 0;
  }
}

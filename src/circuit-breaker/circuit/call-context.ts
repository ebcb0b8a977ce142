/** `this` of an action while a breaker runs it. */
export interface CircuitBreakerCall {
  /**
   * Aborts when the breaker gives this call up, with a `TimeoutError`. That is after `timeoutMs`, or after
   * `halfOpenTimeoutMs` for a probe. Every call has its own signal. It is created at first use, so that an unread one
   * costs nothing.
   */
  readonly signal: AbortSignal;
}

/** One running call. It holds no state of its breaker. */
export class CallContext implements CircuitBreakerCall {
  /** Without a living object, a full garbage collection drops the compiled code of a call (bench "closed fire"). */
  static readonly kept = new CallContext();
  #controller: AbortController | undefined = undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

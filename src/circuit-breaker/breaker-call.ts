/** `this` of an action while a breaker runs it. */
export interface CircuitBreakerCall {
  /**
   * Aborts when the breaker gives this one call up: with a `TimeoutError` after `timeoutMs`, or after
   * `halfOpenTimeoutMs` for a probe. Every call has its own. Made when first read, so that it costs nothing unread.
   */
  readonly signal: AbortSignal;
}

/** One running call. It holds no state of the breaker's. */
export class BreakerCall implements CircuitBreakerCall {
  #controller: AbortController | undefined = undefined;
  #reason: unknown = undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

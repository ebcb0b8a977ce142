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

/** The function that a breaker protects. `this.signal` is the call's abort signal. */
export type CircuitBreakerAction<Args extends unknown[], Result> = (
  this: CircuitBreakerCall,
  ...args: Args
) => Result | PromiseLike<Result>;

/** Runs an action. The result is always a native promise that settles once. */
export function invoke<Args extends unknown[], Result>(
  action: CircuitBreakerAction<Args, Result>,
  call: CallContext,
  args: Args,
): Promise<Result> {
  try {
    const outcome = action.apply(call, args);
    // The `then` of any other promise may throw, or settle twice. A native promise around it settles once.
    const isPlain =
      outcome instanceof Promise && outcome.constructor === Promise && outcome.then === Promise.prototype.then;
    return isPlain ? outcome : new Promise((resolve) => resolve(outcome));
  } catch (error) {
    return Promise.reject(error);
  }
}

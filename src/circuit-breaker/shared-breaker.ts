import type { CircuitBreakerAction, CircuitBreakerCall } from './circuit/call-context.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import {
  type CircuitBreakerFallback,
  type CircuitBreakerOptions,
  checkBreakerOptions,
  resolveOptions,
} from './circuit-breaker-options.ts';

/** The part of a callable that its breaker does not share. */
export interface Callable {
  readonly action: CircuitBreakerAction<unknown[], unknown>;
  readonly fallback: CircuitBreakerFallback<unknown[], unknown> | undefined;
}

type CallableArgs = [callable: Callable, ...args: unknown[]];

let uses = 0;

/** The breaker behind all callables of one name. It runs the action of each call and keeps nothing of it. */
export class SharedBreaker {
  readonly breaker: CircuitBreaker<CallableArgs, unknown>;
  /** The data options in use, defaults included. */
  readonly data: Readonly<Record<string, unknown>>;
  #retired = false;
  #lastUse = 0;

  constructor(name: string, given: CircuitBreakerOptions) {
    const { fallback: _belongsToTheCallable, ...options } = checkBreakerOptions(given);
    const { isFailure } = options;
    this.breaker = new CircuitBreaker<CallableArgs, unknown>(name, runCallable, {
      ...options,
      isFailure: isFailure && ((error, [, ...args]) => isFailure(error, args)),
      fallback: answerCallable,
    });
    const { windowMs, ...inUse } = resolveOptions(options);
    this.data = dataOf(options.windowCalls === undefined ? { windowMs, ...inUse } : inUse);
    this.touch();
  }

  /** Whether the registry evicted or removed it. */
  get retired(): boolean {
    return this.#retired;
  }

  run(callable: Callable, args: unknown[]): Promise<unknown> {
    this.touch();
    return this.breaker.fire(callable, ...args);
  }

  touch(): void {
    uses += 1;
    this.#lastUse = uses;
  }

  retire(): void {
    this.#retired = true;
    this.breaker.shutdown();
  }

  isBetterVictimThan(other: SharedBreaker): boolean {
    if (this.#idle !== other.#idle) return this.#idle;
    return this.#lastUse < other.#lastUse;
  }

  /** Whether it was isolated by hand, which holds until `close()` or `open()`. */
  get isolated(): boolean {
    return this.breaker.state === 'ISOLATED';
  }

  get #idle(): boolean {
    return this.breaker.running === 0 && this.breaker.state === 'CLOSED';
  }
}

function runCallable(this: CircuitBreakerCall, { action }: Callable, ...args: unknown[]): unknown {
  return action.apply(this, args);
}

function answerCallable(error: unknown, { fallback }: Callable, ...args: unknown[]): unknown {
  if (fallback === undefined) throw error;
  return fallback(error, ...args);
}

/**
 * The options that are data and can be compared. They are checked, because a wrong one must not be reported as a
 * changed one.
 */
export function dataOptions<Args extends unknown[], Result>(
  options: CircuitBreakerOptions<Args, Result>,
): Readonly<Record<string, unknown>> {
  return dataOf(checkBreakerOptions(options));
}

const dataOf = (options: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(options).filter(
      ([, value]) => value !== undefined && typeof value !== 'function' && typeof value !== 'object',
    ),
  );

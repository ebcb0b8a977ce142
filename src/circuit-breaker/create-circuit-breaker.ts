import { ConfigError } from '../errors/config-error.ts';
import { describeKind, hasMethods } from '../internal/options/option-checks.ts';
import { callOptions, optionOf } from '../internal/options/own-options.ts';
import type { CircuitBreakerAction } from './circuit/call-context.ts';
import { type CircuitBreakerOptions, checkAction, checkIsObject } from './circuit-breaker-options.ts';
import { type CircuitBreakerRegistry, circuitBreakerRegistry, type NamedCircuitBreaker } from './registry.ts';
import type { Callable } from './shared-breaker.ts';

/** A protected function: the action's arguments and result, and the breaker that decides over it. */
export interface CircuitBreakerCallable<Args extends unknown[], Result> {
  (...args: Args): Promise<Result>;
  /**
   * The breaker of that name at this moment. When the registry evicts it, its listeners are gone. So add listeners once
   * at the start only where the registry holds all names.
   * @throws `DESCRIBE_CONFIG_INVALID` when the name was removed and has come back with other options; calls reject with
   * it.
   */
  readonly breaker: NamedCircuitBreaker;
}

export interface CreateCircuitBreakerOptions<Args extends unknown[] = unknown[], Result = unknown>
  extends CircuitBreakerOptions<Args, Result> {
  /** Where the name is looked up. @defaultValue the process-wide `circuitBreakerRegistry` */
  readonly registry?: CircuitBreakerRegistry | undefined;
}

/**
 * Wraps an action with the breaker of that name. All callables of one name share its state, and each runs its own
 * action and `fallback`. Making a new one for every request costs no memory.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` for a wrong option, and for one that differs from the first use of the name.
 * Functions and the clock are not compared: the first ones are used, except for `fallback`.
 *
 * @example
 * ```ts
 * import { createCircuitBreaker } from '@describe-it/sdk/circuit-breaker';
 *
 * async function handler(user: string) {
 *   const loadOrders = createCircuitBreaker('orders', () => fetch(`https://orders.example/${user}`), {
 *     isFailureResult: (response) => response.status >= 500,
 *   });
 *   return loadOrders();
 * }
 * ```
 */
export function createCircuitBreaker<Args extends unknown[], Result>(
  name: string,
  action: CircuitBreakerAction<Args, Result>,
  options: CreateCircuitBreakerOptions<NoInfer<Args>, NoInfer<Result>> = {},
): CircuitBreakerCallable<Args, Result> {
  checkAction(name, action);
  checkIsObject(options);
  const { registry = circuitBreakerRegistry, ...rest } = callOptions(options);
  if (!hasMethods(registry, ['share'])) {
    const issue = { option: 'registry', expected: 'a CircuitBreakerRegistry', got: describeKind(registry) };
    throw new ConfigError('createCircuitBreaker', [issue]);
  }
  const callable = { action, fallback: optionOf(rest, 'fallback') } as unknown as Callable;
  let shared = registry.share(name, rest);
  const current = () => {
    if (shared.retired) shared = registry.share(name, rest);
    return shared;
  };
  // Async, so that a name that came back with other options rejects instead of throwing.
  const call = async (...args: Args) => current().run(callable, args) as Promise<Result>;
  return Object.defineProperty(call, 'breaker', {
    get: () => current().breaker,
  }) as typeof call & { readonly breaker: NamedCircuitBreaker };
}

import type { CircuitBreakerAction } from './circuit-breaker.ts';
import { type CircuitBreakerOptions, checkAction } from './circuit-breaker-options.ts';
import { type CircuitBreakerRegistry, circuitBreakerRegistry, type NamedCircuitBreaker } from './registry.ts';
import type { Callable } from './shared-breaker.ts';

/** A protected function: the action's arguments and result, and the breaker that decides over it. */
export interface CircuitBreakerCallable<Args extends unknown[], Result> {
  (...args: Args): Promise<Result>;
  /** The breaker of that name at this moment. */
  readonly breaker: NamedCircuitBreaker;
}

export interface CreateCircuitBreakerOptions<Args extends unknown[] = unknown[], Result = unknown>
  extends CircuitBreakerOptions<Args, Result> {
  /** Where the name is looked up. @defaultValue the process-wide `circuitBreakerRegistry` */
  readonly registry?: CircuitBreakerRegistry | undefined;
}

/**
 * Wraps an action with the breaker of that name. All callables of one name share its state, each runs its own action
 * (and its own `fallback`); making one anew for every request costs no memory.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` when an option is wrong, or is data, given, and another than where the name was
 * first used. Of functions (`fallback` aside) and the clock the first are used.
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
  {
    registry = circuitBreakerRegistry,
    ...options
  }: CreateCircuitBreakerOptions<NoInfer<Args>, NoInfer<Result>> = {},
): CircuitBreakerCallable<Args, Result> {
  checkAction(name, action);
  const callable = { action, fallback: options.fallback } as unknown as Callable;
  let shared = registry.share(name, options);
  const current = () => {
    if (shared.retired) shared = registry.share(name, options);
    return shared;
  };
  const call = (...args: Args) => current().run(callable, args) as Promise<Result>;
  return Object.defineProperty(call, 'breaker', {
    get: () => current().breaker,
  }) as typeof call & { readonly breaker: NamedCircuitBreaker };
}

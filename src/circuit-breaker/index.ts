export type { CircuitBreakerCall } from './breaker-call.ts';
export { CircuitBreaker, type CircuitBreakerAction } from './circuit-breaker.ts';
export type { CircuitBreakerEvents, CircuitBreakerState, OpenReason } from './circuit-breaker-events.ts';
export type { CircuitBreakerFallback, CircuitBreakerOptions } from './circuit-breaker-options.ts';
export type { CallTotals, CircuitBreakerStats } from './circuit-breaker-stats.ts';
export {
  type CircuitBreakerCallable,
  type CreateCircuitBreakerOptions,
  createCircuitBreaker,
} from './create-circuit-breaker.ts';
export type { TripRule } from './evidence.ts';
export type { FetchHandler } from './fetch-handler.ts';
export type { NodeHandler, NodeHandlerResponse } from './node-exchange.ts';
export {
  type CircuitBreakerHealthStatus,
  CircuitBreakerRegistry,
  type CircuitBreakerRegistryOptions,
  circuitBreakerRegistry,
  type NamedCircuitBreaker,
} from './registry.ts';
export { type WithCircuitBreakerOptions, withCircuitBreaker } from './with-circuit-breaker.ts';

export type { Random } from '../internal/backoff.ts';
export type { CircuitBreakerAction, CircuitBreakerCall } from './circuit/call-context.ts';
export type { CircuitBreakerEvents, CircuitBreakerState, OpenReason } from './circuit/circuit-breaker-events.ts';
export { CircuitBreaker } from './circuit-breaker.ts';
export type { CircuitBreakerFallback, CircuitBreakerOptions } from './circuit-breaker-options.ts';
export type { CallTotals, CircuitBreakerStats } from './circuit-breaker-stats.ts';
export {
  type CircuitBreakerCallable,
  type CreateCircuitBreakerOptions,
  createCircuitBreaker,
} from './create-circuit-breaker.ts';
export type { FetchHandler } from './handlers/fetch-handler.ts';
export type { NodeHandler, NodeHandlerResponse } from './handlers/node-exchange.ts';
export { type WithCircuitBreakerOptions, withCircuitBreaker } from './handlers/with-circuit-breaker.ts';
export {
  type CircuitBreakerHealthStatus,
  CircuitBreakerRegistry,
  type CircuitBreakerRegistryOptions,
  circuitBreakerRegistry,
  type NamedCircuitBreaker,
} from './registry.ts';
export type { TripRule } from './window/evidence.ts';

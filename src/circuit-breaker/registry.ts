import { ConfigError } from '../errors/config-error.ts';
import { bindMethods } from '../internal/bind-methods.ts';
import { processSingleton } from '../internal/modules/process-singleton.ts';
import { checkOptions, describeValue, integer, type OptionChecks } from '../internal/options/option-checks.ts';
import { withDefault } from '../internal/options/option-spec.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { type CircuitBreakerOptions, checkIsObject } from './circuit-breaker-options.ts';
import type { CircuitBreakerStats } from './circuit-breaker-stats.ts';
import { dataOptions, SharedBreaker } from './shared-breaker.ts';

/**
 * A breaker that is known by its name: everything but its calls and its end, which belong to its callables and
 * `remove`.
 */
export type NamedCircuitBreaker = Pick<
  CircuitBreaker,
  'name' | 'state' | 'running' | 'open' | 'isolate' | 'close' | 'on' | 'getStats'
>;

export interface CircuitBreakerRegistryOptions {
  /**
   * Most breakers. A further one evicts the least recently used breaker that is idle (closed, without a call), else the
   * least recently used one. Isolated breakers are never evicted, also above this limit.
   * @defaultValue 1000
   */
  readonly maxBreakers?: number | undefined;
}

/** Stats of all breakers of a registry, by name. */
export interface CircuitBreakerHealthStatus {
  /** The closed ones. */
  readonly healthy: Readonly<Record<string, CircuitBreakerStats>>;
  /** The open, half-open and isolated ones. */
  readonly unhealthy: Readonly<Record<string, CircuitBreakerStats>>;
}

export const BREAKER_REGISTRY_SPEC = {
  maxBreakers: withDefault(integer({ min: 1 }), 1_000),
} satisfies OptionChecks<CircuitBreakerRegistryOptions>;

/**
 * Holds one breaker a name, and never more than `maxBreakers` besides isolated ones.
 *
 * @example
 * ```ts
 * import { circuitBreakerRegistry } from '@describe-it/sdk/circuit-breaker';
 *
 * const { unhealthy } = circuitBreakerRegistry.getHealthStatus();
 * for (const name of Object.keys(unhealthy)) console.warn(`${name} is not closed`);
 * ```
 */
export class CircuitBreakerRegistry {
  readonly #maxBreakers: number;
  readonly #shared = new Map<string, SharedBreaker>();

  /** @throws `DESCRIBE_CONFIG_INVALID` when `maxBreakers` is wrong. */
  constructor(options: CircuitBreakerRegistryOptions = {}) {
    this.#maxBreakers = checkOptions('CircuitBreakerRegistry', options, BREAKER_REGISTRY_SPEC).maxBreakers;
  }

  get(name: string): NamedCircuitBreaker | undefined {
    return this.#shared.get(name)?.breaker;
  }

  /** A fresh map of all breakers, oldest first. */
  getAll(): Map<string, NamedCircuitBreaker> {
    return new Map([...this.#shared].map(([name, { breaker }]) => [name, breaker]));
  }

  /**
   * The breaker of that name, made when there is none.
   * @throws `DESCRIBE_CONFIG_INVALID` when an option is wrong, or is given and differs from the one in use.
   */
  getOrCreate(name: string, options: CircuitBreakerOptions = {}): NamedCircuitBreaker {
    return this.share(name, options).breaker;
  }

  /**
   * Gives the breaker that the callables of a name share.
   * @throws `DESCRIBE_CONFIG_INVALID` for a wrong option, and for one that differs from the one in use. Functions and
   * the clock are not compared: the first ones are used.
   * @internal
   */
  share<Args extends unknown[], Result>(name: string, options: CircuitBreakerOptions<Args, Result>): SharedBreaker {
    checkIsObject(options);
    const shared = this.#shared.get(name);
    if (shared !== undefined) {
      refuseChanges(name, shared.data, dataOptions(options));
      return shared;
    }
    const made = new SharedBreaker(name, options as CircuitBreakerOptions);
    while (this.#shared.size >= this.#maxBreakers && this.#dropOne());
    this.#shared.set(name, made);
    return made;
  }

  getHealthStatus(): CircuitBreakerHealthStatus {
    const stats = [...this.#shared.values()].map(({ breaker }) => breaker.getStats());
    const byName = (some: readonly CircuitBreakerStats[]) =>
      Object.freeze(Object.fromEntries(some.map((one) => [one.name, one])));
    return Object.freeze({
      healthy: byName(stats.filter(({ state }) => state === 'CLOSED')),
      unhealthy: byName(stats.filter(({ state }) => state !== 'CLOSED')),
    });
  }

  /** Closes every breaker and forgets all evidence. */
  resetAll(): void {
    for (const { breaker } of this.#shared.values()) breaker.close();
  }

  /** Ends the breaker of that name; its callables start a new one when called again. False when there was none. */
  remove(name: string): boolean {
    const shared = this.#shared.get(name);
    shared?.retire();
    return this.#shared.delete(name);
  }

  /** False when all are isolated. */
  #dropOne(): boolean {
    let victim: SharedBreaker | undefined;
    for (const shared of this.#shared.values()) {
      if (shared.isolated) continue;
      if (victim === undefined || shared.isBetterVictimThan(victim)) victim = shared;
    }
    return victim !== undefined && this.remove(victim.breaker.name);
  }
}

function refuseChanges(
  name: string,
  inUse: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): void {
  const issues = Object.keys(given)
    .filter((option) => given[option] !== inUse[option])
    .map((option) => ({
      option,
      expected: `${option in inUse ? describeValue(inUse[option]) : 'nothing'}, as where the name was first used`,
      got: describeValue(given[option]),
    }));
  if (issues.length > 0) throw new ConfigError(`circuit breaker ${name}`, issues);
}

/** The registry that all copies of this package in the process share. */
export const circuitBreakerRegistry = processSingleton('circuit-breaker-registry', () =>
  bindMethods(new CircuitBreakerRegistry()),
);

import { CircuitBreaker } from '../../circuit-breaker/index.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import type { ClientSettings } from '../options/client-settings.ts';
import { madeByUser } from '../options/client-spec.ts';
import type { EndpointDescription } from '../options/endpoint-options.ts';
import type { AttemptBreaker } from '../options/part-options.ts';
import { countsForBreaker } from './attempt-failure.ts';

/** Names of models come from callers. Random names must not make the process grow. */
const MAX_BREAKERS = 100;

/** The breakers of one endpoint, one for each model, made at first use. */
export class BreakerGroup {
  readonly #endpoint: string;
  readonly #create: ((model: string) => AttemptBreaker) | undefined;
  readonly #breakers: BoundedMap<string, AttemptBreaker>;
  readonly #discard: (breaker: AttemptBreaker) => void;

  /** Without `create`, every attempt passes. `discard` ends a breaker that this group made. */
  constructor(
    endpoint: string,
    create: ((model: string) => AttemptBreaker) | undefined,
    discard: (breaker: AttemptBreaker) => void,
  ) {
    this.#endpoint = endpoint;
    this.#create = create;
    this.#discard = discard;
    this.#breakers = new BoundedMap(MAX_BREAKERS, { onEvicted: discard });
  }

  /** The breaker of a model, made now if need be; undefined when breakers are off. */
  of(model: string): AttemptBreaker | undefined {
    const create = this.#create;
    return create === undefined ? undefined : this.#breakers.getOrCreate(model, () => create(model));
  }

  /** Every breaker so far, by endpoint and model. */
  byName(): Readonly<Record<string, AttemptBreaker>> {
    return Object.fromEntries([...this.#breakers].map(([model, breaker]) => [`${this.#endpoint}:${model}`, breaker]));
  }

  shutdown(): void {
    for (const breaker of this.#breakers.values()) this.#discard(breaker);
  }
}

/** Counts changes of breakers. */
export interface BreakerMetrics {
  breakerMoved(breaker: string, to: string): void;
}

/** One endpoint's breakers, one for each model, by options or by the user's function. */
export function makeBreakers(
  settings: ClientSettings,
  endpoint: EndpointDescription,
  metrics: BreakerMetrics,
): BreakerGroup {
  const { circuitBreaker, model } = settings;
  if (circuitBreaker === false) return new BreakerGroup(endpoint.name, undefined, () => {});
  if (typeof circuitBreaker === 'function') {
    const ofUser = (name: string) =>
      madeByUser(circuitBreaker(endpoint, name), 'circuitBreaker', 'a CircuitBreaker', ['fire', 'getStats']);
    return new BreakerGroup(endpoint.name, ofUser, () => {});
  }
  const create = (name: string) => makeBreaker(settings, `${endpoint.name}:${name}`, metrics);
  const group = new BreakerGroup(endpoint.name, create, (breaker) => breaker.shutdown());
  // Made at once, so that health and stats show it before the first call.
  group.of(endpoint.model ?? model);
  return group;
}

function makeBreaker(
  { circuitBreaker, clock, logger }: ClientSettings,
  name: string,
  metrics: BreakerMetrics,
): AttemptBreaker {
  const breaker: AttemptBreaker = new CircuitBreaker<Parameters<AttemptBreaker['fire']>, unknown>(
    name,
    function (run) {
      // A closed breaker aborts no call, so its signal is left out.
      return run(breaker.state === 'CLOSED' ? undefined : this.signal);
    },
    { isFailure: countsForBreaker, ...definedOf(circuitBreaker as object | undefined), clock },
  );
  breaker.on('stateChanged', ({ name: breakerName, from, to }) => {
    metrics.breakerMoved(breakerName, to);
    logger[to === 'CLOSED' ? 'info' : 'warn']({ breaker: breakerName, from, to }, 'circuit breaker changed state');
  });
  return breaker;
}

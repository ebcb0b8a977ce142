import type { CircuitBreaker } from '../../circuit-breaker/index.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { within } from './attempt-failure.ts';
import type { RoutedCall, Stage } from './stage.ts';

/** A breaker around attempts: its action runs what it is given, with the breaker's own signal. */
export type AttemptBreaker = CircuitBreaker<
  [run: (breakerSignal: AbortSignal | undefined) => Promise<unknown>],
  unknown
>;

/** Models are free text of the callers': a process that is sent random ones must not grow. */
const MAX_BREAKERS = 100;

/** The breakers of one endpoint, one a model, made at first use. */
export class BreakerGroup {
  readonly #endpoint: string;
  readonly #create: ((model: string) => AttemptBreaker) | undefined;
  readonly #breakers: BoundedMap<string, AttemptBreaker>;
  readonly #discard: (breaker: AttemptBreaker) => void;

  /** Without `create` every attempt passes. `discard` ends a breaker that this group made. */
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

/** Lets an attempt pass unless the breaker of its endpoint and model forbids it. */
export const breakerStage: Stage<RoutedCall> = (call, next) => {
  const breaker = call.place.target.breakers.of(call.place.model);
  if (breaker === undefined) return next(call);
  return within(
    'the circuit breaker',
    (run) => breaker.fire(run),
    (breakerSignal: AbortSignal | undefined) => next(breakerSignal === undefined ? call : { ...call, breakerSignal }),
  );
};

import type { CircuitBreaker } from '../../circuit-breaker/index.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import type { BreakerGuard } from './upstream-caller.ts';

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

  /** Runs an attempt unless the breaker of its model forbids it. */
  readonly guard: BreakerGuard = <Value>(
    model: string,
    run: (breakerSignal: AbortSignal | undefined) => Promise<Value>,
  ): Promise<Value> => {
    return this.#create === undefined ? run(undefined) : this.#guarded(model, run);
  };

  async #guarded<Value>(
    model: string,
    run: (breakerSignal: AbortSignal | undefined) => Promise<Value>,
  ): Promise<Value> {
    let produced: { readonly value: Value } | undefined;
    const answered = await this.of(model)?.fire(async (breakerSignal) => {
      const value = await run(breakerSignal);
      produced = { value };
      return value;
    });
    // A breaker of the user's may answer in place of the API; what it says is no description to keep.
    if (produced !== undefined && answered === produced.value) return produced.value;
    throw new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'the circuit breaker answered in place of the API', {
      status: 200,
    });
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

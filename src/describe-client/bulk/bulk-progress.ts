import { DescribeError } from '../../errors/describe-error.ts';
import type { Clock } from '../../internal/clock.ts';
import { roundUsd } from '../../openai/models/cost.ts';

/** How far a `describeMany` has come. */
export interface DescribeManyProgress {
  /** Inputs that were described or have failed. */
  readonly done: number;
  /** Those of them that have failed. */
  readonly failed: number;
  /** The number of inputs, where it is known: of an array, a `Set` or a `Map`. */
  readonly total?: number;
  /** Price so far in US dollars, that of failed calls included. Calls of an unknown price count as 0. */
  readonly costUsd: number;
  /** Milliseconds until all are done, at the average pace so far. Absent without a `total`. */
  readonly etaMs?: number;
}

/** The number of inputs that an iterable states itself. */
export function countOf(inputs: unknown): number | undefined {
  if (Array.isArray(inputs)) return inputs.length;
  return inputs instanceof Set || inputs instanceof Map ? inputs.size : undefined;
}

/** Counts the inputs of one iteration, and notifies of each. */
export class BulkProgress {
  readonly #total: number | undefined;
  readonly #clock: Clock;
  readonly #notify: (progress: DescribeManyProgress) => void;
  readonly #startedAtMs: number;
  #done = 0;
  #failed = 0;
  #costUsd = 0;

  constructor(inputs: unknown, clock: Clock, notify: (progress: DescribeManyProgress) => void) {
    this.#total = countOf(inputs);
    this.#clock = clock;
    this.#notify = notify;
    this.#startedAtMs = clock.now();
  }

  /** The same work, counted when it settles, unless the end of the iteration has aborted it. */
  following<Input, Value extends { readonly costUsd?: number }>(
    work: (input: Input, signal: AbortSignal) => Promise<Value>,
  ): (input: Input, signal: AbortSignal) => Promise<Value> {
    return async (input, signal) => {
      try {
        const value = await work(input, signal);
        if (!signal.aborted) this.#count(0, value.costUsd);
        return value;
      } catch (error) {
        if (!signal.aborted) this.#count(1, DescribeError.is(error) ? error.costUsd : undefined);
        throw error;
      }
    };
  }

  #count(failed: number, costUsd = 0): void {
    this.#failed += failed;
    this.#done += 1;
    this.#costUsd = roundUsd(this.#costUsd + costUsd);
    const done = this.#done;
    const total = this.#total;
    // An array may grow while it is read.
    const left = total === undefined ? undefined : Math.max(0, total - done);
    const elapsedMs = this.#clock.now() - this.#startedAtMs;
    this.#notify({
      done,
      failed: this.#failed,
      ...(total === undefined || left === undefined ? {} : { total, etaMs: Math.round((elapsedMs * left) / done) }),
      costUsd: this.#costUsd,
    });
  }
}

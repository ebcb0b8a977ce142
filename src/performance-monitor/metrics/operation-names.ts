import { checkMetricName, durationName, errorsName } from './metric-name.ts';

/** The names of an operation's metrics. */
export interface OperationMetrics {
  /** Histogram of its durations. */
  readonly duration: string;
  /** Counter of its failures. */
  readonly errors: string;
}

/** Most operations remembered; the names of others are computed each time. */
const MAX_REMEMBERED = 1_000;

/** The names of an operation's metrics, computed once, because timing is a hot path. */
export class OperationNames {
  readonly #known = new Map<string, OperationMetrics>();

  /** @throws `DESCRIBE_INPUT_INVALID` for a name that no metric can have. */
  of(operation: string): OperationMetrics {
    const known = this.#known.get(operation);
    if (known !== undefined) return known;
    checkMetricName(operation);
    const names = { duration: durationName(operation), errors: errorsName(operation) };
    if (this.#known.size < MAX_REMEMBERED) this.#known.set(operation, names);
    return names;
  }
}

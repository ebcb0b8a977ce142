import { checkMetricName, durationName, errorsName } from './metric-name.ts';

/** The names of an operation's metrics. */
export interface OperationMetrics {
  /** Histogram of its durations. */
  readonly duration: string;
  /** Counter of its failures. */
  readonly errors: string;
}

/** Most operations remembered; more are worked out each time. */
const MAX_REMEMBERED = 1_000;

/** The names of an operation's metrics, worked out once an operation: timing is the hot path. */
export class OperationNames {
  readonly #known = new Map<string, OperationMetrics>();

  /** @throws `DESCRIBE_INPUT_INVALID` for what can't be a metric's name. */
  of(operation: string): OperationMetrics {
    const known = this.#known.get(operation);
    if (known !== undefined) return known;
    checkMetricName(operation);
    const names = { duration: durationName(operation), errors: errorsName(operation) };
    if (this.#known.size < MAX_REMEMBERED) this.#known.set(operation, names);
    return names;
  }
}

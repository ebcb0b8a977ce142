import type { Metric } from 'prom-client';
import { InputError } from '../../errors/input-error.ts';
import type { ExposedSample, MetricSource } from './metric.ts';

/** The form in which prom-client 15.1 reads a metric: a name, and its samples at scrape time. */
interface CollectedValues {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly ExposedSample[];
}

/** prom-client writes some 1,000 lines in a millisecond. */
const LINES_OF_A_TURN = 500;

let lastTurn = Promise.resolve();

/** Resolves in a turn of the event loop that no other caller gets. */
function nextTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => new Promise((resolve) => void setImmediate(resolve)));
  return lastTurn;
}

/**
 * All sources of one name in a registry. Monitors that share a registry share its families: the same series of two
 * monitors is one sample.
 */
export class MetricFamily {
  /** Mutable, because an OpenMetrics registry takes `_total` off a counter's name. */
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly #shape: string;
  readonly #sources = new Set<MetricSource>();
  /** Lines of the last scrape. */
  #lines = 0;

  constructor({ exposedName, help, kind, shape }: MetricSource) {
    this.name = exposedName;
    this.help = help;
    this.type = kind;
    this.#shape = shape;
  }

  /** The family with prom-client's type of a metric. A registry uses only the members that are here. */
  get asMetric(): Metric {
    return this as unknown as Metric;
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for another kind of metric, or a histogram with other bounds. */
  add(source: MetricSource): void {
    if (source.kind !== this.type || source.shape !== this.#shape) {
      throw new InputError(
        'name',
        `the registry has another ${this.type} ${source.exposedName}. Choose another name or another prefix.`,
      );
    }
    this.#sources.add(source);
  }

  delete(source: MetricSource): void {
    this.#sources.delete(source);
  }

  /**
   * The samples that a registry turns into text. A large family waits for a turn of its own, so that a scrape does not
   * block the event loop for long.
   */
  async getForPromString(): Promise<CollectedValues> {
    if (this.#lines > LINES_OF_A_TURN) await nextTurn();
    const { name, help, type, aggregator } = this;
    const [first, ...others] = this.#sources;
    const values = first === undefined ? [] : others.length === 0 ? first.samples() : this.#merged();
    this.#lines = values.length;
    return { name, help, type, aggregator, values };
  }

  /** The samples that a registry turns into JSON, to be added up over the processes of a cluster. */
  async get(): Promise<object> {
    const { values, ...rest } = await this.getForPromString();
    return {
      ...rest,
      values: values.map(({ sharedLabels, labels, ...sample }) => ({
        ...sample,
        labels: { ...sharedLabels, ...labels },
      })),
    };
  }

  reset(): void {
    for (const source of this.#sources) source.reset();
  }

  #merged(): readonly ExposedSample[] {
    const merged = new Map<string, ExposedSample>();
    for (const source of this.#sources) {
      for (const sample of source.samples()) {
        const { metricName, labels, sharedLabels } = sample;
        const key = JSON.stringify([metricName, Object.entries({ ...sharedLabels, ...labels }).sort()]);
        const before = source.merge === 'sum' ? (merged.get(key)?.value ?? 0) : 0;
        merged.set(key, { ...sample, value: before + sample.value });
      }
    }
    return [...merged.values()];
  }
}

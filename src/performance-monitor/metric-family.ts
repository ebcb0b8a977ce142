import type { Metric } from 'prom-client';
import { InputError } from '../errors/input-error.ts';
import type { ExposedSample, MetricSource } from './metric.ts';

/** What prom-client 15.1 asks of a metric: a name, and its samples at scrape time. */
interface CollectedValues {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly ExposedSample[];
}

/**
 * All sources of one name in a registry: monitors that share a registry share its families, where the same series of
 * two monitors is one line.
 */
export class MetricFamily {
  /** Mutable: an OpenMetrics registry takes `_total` off a counter's name. */
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly #shape: string;
  readonly #sources = new Set<MetricSource>();

  constructor({ exposedName, help, kind, shape }: MetricSource) {
    this.name = exposedName;
    this.help = help;
    this.type = kind;
    this.#shape = shape;
  }

  /** The family as prom-client's types see a metric; a registry uses no more of one than is here. */
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
        `${source.exposedName} is in the registry already, as another ${this.type}`,
      );
    }
    this.#sources.add(source);
  }

  delete(source: MetricSource): void {
    this.#sources.delete(source);
  }

  async get(): Promise<CollectedValues> {
    const { name, help, type, aggregator } = this;
    const [first, ...others] = this.#sources;
    const values = first === undefined ? [] : others.length === 0 ? first.samples() : this.#merged();
    return { name, help, type, aggregator, values };
  }

  reset(): void {
    for (const source of this.#sources) source.reset();
  }

  #merged(): readonly ExposedSample[] {
    const merged = new Map<string, ExposedSample>();
    for (const source of this.#sources) {
      for (const sample of source.samples()) {
        const key = JSON.stringify([sample.metricName, Object.entries(sample.labels).sort()]);
        const before = source.merge === 'sum' ? (merged.get(key)?.value ?? 0) : 0;
        merged.set(key, { ...sample, value: before + sample.value });
      }
    }
    return [...merged.values()];
  }
}

import type { OpenMetricsContentType, PrometheusContentType, Registry } from 'prom-client';
import { InputError } from '../../errors/input-error.ts';
import { importAgain } from '../../internal/modules/import-again.ts';
import { processSingleton } from '../../internal/modules/process-singleton.ts';
import type { MetricSource } from './metric.ts';
import { MetricFamily } from './metric-family.ts';

/** A prom-client registry of either text format. */
export type MonitorRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

/** The families of each registry, so that every monitor of the process finds those of the others. */
const familiesOf = (registry: MonitorRegistry): Map<string, MetricFamily> => {
  const all = processSingleton('metric-families', () => new WeakMap<MonitorRegistry, Map<string, MetricFamily>>());
  const families = all.get(registry) ?? new Map<string, MetricFamily>();
  all.set(registry, families);
  return families;
};

/**
 * Shows one monitor's metrics in a registry: in the user's at once, else in one of its own. Its own is made when the
 * text is first read, because prom-client is loaded then.
 */
export class RegistryBinding {
  #registry: MonitorRegistry | undefined;
  readonly #ownsRegistry: boolean;
  readonly #sources = new Map<string, MetricSource>();

  constructor(registry: MonitorRegistry | undefined) {
    this.#registry = registry;
    this.#ownsRegistry = registry === undefined;
  }

  /** @throws `DESCRIBE_INPUT_INVALID` when the registry has another metric of that name. */
  add(source: MetricSource): void {
    if (this.#registry !== undefined) attach(this.#registry, source);
    this.#sources.set(source.exposedName, source);
  }

  /** The registry's text, in its own format. */
  async text(): Promise<string> {
    const registry = await this.#load();
    return registry.metrics();
  }

  /** Takes this monitor's metrics out of the user's registry. */
  close(): void {
    if (this.#registry === undefined || this.#ownsRegistry) return;
    for (const source of this.#sources.values()) detach(this.#registry, source);
  }

  async #load(): Promise<MonitorRegistry> {
    if (this.#registry !== undefined) return this.#registry;
    const { Registry } = await importAgain('prom-client', () => import('prom-client'));
    if (this.#registry === undefined) {
      const registry: MonitorRegistry = new Registry();
      for (const source of this.#sources.values()) attach(registry, source);
      this.#registry = registry;
    }
    return this.#registry;
  }
}

function attach(registry: MonitorRegistry, source: MetricSource): void {
  const families = familiesOf(registry);
  const name = source.exposedName;
  const found = families.get(name);
  // The user may have cleared the registry since: then the family is put back.
  const present = registry.getSingleMetric(name);
  if (found !== undefined && (present === undefined || present === found.asMetric)) {
    found.add(source);
    if (present === undefined) registry.registerMetric(found.asMetric);
    return;
  }
  if (present !== undefined) {
    throw new InputError(
      'name',
      `the registry has a ${name} that is not this monitor's. Choose another name or another prefix.`,
    );
  }
  const family = new MetricFamily(source);
  family.add(source);
  registry.registerMetric(family.asMetric);
  families.set(name, family);
}

function detach(registry: MonitorRegistry, source: MetricSource): void {
  const families = familiesOf(registry);
  const family = families.get(source.exposedName);
  family?.delete(source);
  if (family?.isEmpty !== true) return;
  families.delete(source.exposedName);
  if (registry.getSingleMetric(source.exposedName) === family.asMetric) {
    registry.removeSingleMetric(source.exposedName);
  }
}

import type { Clock } from '../../internal/clock.ts';
import { type FakeLimits, QuotaGroup } from './quota-group.ts';

/** Keys, and perhaps models, that share their limits. */
export interface FakeQuotaGroup {
  /** Appears in stats. */
  readonly name: string;
  /** Value of the header `openai-organization` in answers to this group. @defaultValue 'org-fake' */
  readonly organization?: string;
  /** Value of the header `openai-project` in answers to this group. @defaultValue no such header */
  readonly project?: string;
  /** @defaultValue every key */
  readonly apiKeys?: readonly string[];
  /** Models that share one set of buckets. @defaultValue every model, each with buckets of its own */
  readonly models?: readonly string[];
  readonly limits: FakeLimits;
}

/** Finds the quota group of a request: the first that its key and model belong to. */
export class QuotaGroups {
  #definitions: readonly FakeQuotaGroup[];
  readonly #clock: Clock;
  readonly #groups = new Map<string, QuotaGroup>();

  constructor(definitions: readonly FakeQuotaGroup[], clock: Clock) {
    this.#definitions = definitions;
    this.#clock = clock;
  }

  find(apiKey: string, model: string): QuotaGroup | undefined {
    const index = this.#definitions.findIndex(
      ({ apiKeys, models }) => (apiKeys?.includes(apiKey) ?? true) && (models?.includes(model) ?? true),
    );
    const definition = this.#definitions[index];
    if (definition === undefined) return undefined;
    const key = definition.models === undefined ? `${index}/${model}` : String(index);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = new QuotaGroup(definition.name, definition.limits, this.#clock, definition);
    this.#groups.set(key, group);
    return group;
  }

  /** Other groups from now on, their buckets full. Requests in flight no longer count. */
  replace(definitions: readonly FakeQuotaGroup[]): void {
    this.#definitions = definitions;
    this.#groups.clear();
  }

  /** Fills every bucket again. Requests in flight no longer count. */
  reset(): void {
    this.#groups.clear();
  }
}

import type { Random } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import {
  callable,
  checkOptions,
  clockOption,
  integer,
  type OptionChecks,
  shape,
  withMethods,
  wrongInput,
} from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';
import type { QuotaStats } from '../limits/quota-stats.ts';
import type { AtomicScript } from '../shared-quota/atomic-script.ts';
import { QuotaLimiter } from './quota-limiter.ts';
import { QUOTA_LIMITS_SPEC, type QuotaLimits } from './quota-limiter-options.ts';
import { QuotaStop } from './quota-pause.ts';

export interface QuotaRegistryOptions {
  /** Upper bounds of every quota that `limitsOf` says nothing about. @defaultValue what the API's headers say */
  readonly limits?: QuotaLimits | undefined;
  /** Upper bounds of a group's quotas. @defaultValue `limits` for all */
  readonly limitsOf?: ((group: string) => QuotaLimits | undefined) | undefined;
  /**
   * Names the family of a model: models of one share their limits.
   * @defaultValue dated snapshots share with their model
   */
  readonly familyOf?: ((model: string) => string) | undefined;
  /** Most limiters held at once, at least 1. The oldest idle one is evicted first. @defaultValue 1000 */
  readonly maxLimiters?: number | undefined;
  /**
   * Gives the name of a group among the processes that share its quotas, where their own names differ.
   * @defaultValue the group's name
   */
  readonly sharedNameOf?: ((group: string) => string) | undefined;
  /** Shares the quotas with other processes. @defaultValue this process, or its share of the limits, alone */
  readonly shared?: AtomicScript | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Source of jitter, numbers in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

/**
 * The family of models that share their limits. A dated snapshot belongs to the name without the date, a fine-tuned
 * model to the model that it was made from. Source: OpenAI, "Rate limits" guide, shared limits; "Fine-tuning" guide.
 */
export function modelFamilyOf(model: string): string {
  const base = /^ft:([^:]+):/.exec(model)?.[1] ?? model;
  return base.replace(/-\d{4}-\d{2}-\d{2}$/, '');
}

export const QUOTA_REGISTRY_SPEC = {
  limits: shape(QUOTA_LIMITS_SPEC),
  limitsOf: callable(),
  familyOf: withDefault(callable(), modelFamilyOf),
  sharedNameOf: callable(),
  maxLimiters: withDefault(integer({ min: 1 }), 1_000),
  shared: withMethods('a store that runs scripts', 'run'),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<QuotaRegistryOptions>;

interface GroupLimiter {
  readonly group: string;
  readonly limiter: QuotaLimiter;
}

/**
 * Gives the one limiter of a quota group and a family of models. Never holds more than `maxLimiters`.
 *
 * @example
 * ```ts
 * import { QuotaRegistry } from '@describe-it/sdk/routing';
 *
 * const quotas = new QuotaRegistry({ limits: { tokensPerMinute: 200_000 } });
 * const quota = quotas.get('my-project', 'gpt-4.1-mini');
 * console.log(quota === quotas.get('my-project', 'gpt-4.1-mini-2025-04-14')); // true
 * ```
 */
export class QuotaRegistry {
  readonly #options: Settings<QuotaRegistryOptions, typeof QUOTA_REGISTRY_SPEC>;
  /** By group: an account that is used up is so for every model. */
  readonly #stops = new Map<string, QuotaStop>();
  /** By group and family. */
  readonly #limiters: BoundedMap<string, GroupLimiter>;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: QuotaRegistryOptions = {}) {
    this.#options = checkOptions('QuotaRegistry', options, QUOTA_REGISTRY_SPEC);
    // Not closed: a caller may still hold it, and it gives back what it was granted by itself.
    this.#limiters = new BoundedMap(this.#options.maxLimiters, { onEvicted: ({ group }) => this.#forgetStop(group) });
  }

  /**
   * The limiter of a group's quota for a model.
   * @throws `DESCRIBE_INPUT_INVALID` for a group or model that is no string.
   */
  get(group: string, model: string): QuotaLimiter {
    if (typeof group !== 'string') throw wrongInput('group', 'the name of a group', group);
    if (typeof model !== 'string') throw wrongInput('model', 'the name of a model', model);
    const family = this.#options.familyOf(model);
    const name = `${group}/${family}`;
    return this.#limiters.getOrCreate(name, () => this.#make(group, family, name)).limiter;
  }

  /** A frozen snapshot of every limiter. */
  getStats(): readonly QuotaStats[] {
    return Object.freeze([...this.#limiters.values()].map(({ limiter }) => limiter.getStats()));
  }

  /** Closes every limiter. Idempotent. */
  close(): void {
    for (const { limiter } of this.#limiters.values()) limiter.close();
    this.#limiters.clear();
    this.#stops.clear();
  }

  #make(group: string, family: string, name: string): GroupLimiter {
    const { limits, limitsOf, maxLimiters, shared, sharedNameOf, clock, random } = this.#options;
    // An idle limiter knows nothing that its next answer would not say again.
    if (this.#limiters.size >= maxLimiters) {
      void (this.#limiters.evict(({ limiter }) => limiter.inFlight === 0) || this.#limiters.evict());
    }
    const stop = this.#stops.get(group) ?? new QuotaStop();
    this.#stops.set(group, stop);
    const sharedName = `${sharedNameOf?.(group) ?? group}/${family}`;
    const ownLimits = limitsOf?.(group) ?? limits;
    return { group, limiter: new QuotaLimiter({ name, sharedName, limits: ownLimits, shared, clock, random }, stop) };
  }

  /** Forgets whether a group is used up once none of its limiters is left. */
  #forgetStop(group: string): void {
    for (const other of this.#limiters.values()) if (other.group === group) return;
    this.#stops.delete(group);
  }
}

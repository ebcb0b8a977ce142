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
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import type { QuotaStats } from '../limits/quota-stats.ts';
import type { AtomicScript } from '../shared-quota/atomic-script.ts';
import { modelFamilyOf } from './model-family.ts';
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
  readonly #options: QuotaRegistryOptions;
  readonly #familyOf: (model: string) => string;
  readonly #maxLimiters: number;
  /** By group, then by model: two short look-ups instead of a key made anew for each call. */
  readonly #byModel = new Map<string, BoundedMap<string, QuotaLimiter>>();
  /** By group: an account whose quota is exhausted has none for any model. */
  readonly #stops = new Map<string, QuotaStop>();
  /** By name. */
  readonly #limiters: BoundedMap<string, QuotaLimiter>;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: QuotaRegistryOptions = {}) {
    const own = checkOptions('QuotaRegistry', options, QUOTA_REGISTRY_SPEC);
    const { familyOf, maxLimiters } = own;
    this.#options = own;
    this.#familyOf = familyOf;
    this.#maxLimiters = maxLimiters;
    // An evicted limiter is not closed: a caller may still hold it. It gives back its grants by itself.
    this.#limiters = new BoundedMap(maxLimiters, { onEvicted: (limiter) => this.#forget(limiter) });
  }

  /** The limiter of a group's quota for a model. */
  get(group: string, model: string): QuotaLimiter {
    return this.#byModel.get(group)?.get(model) ?? this.#find(group, model);
  }

  /** A frozen snapshot of every limiter. */
  getStats(): readonly QuotaStats[] {
    return Object.freeze([...this.#limiters.values()].map((limiter) => limiter.getStats()));
  }

  /** Closes every limiter. Idempotent. */
  close(): void {
    for (const limiter of this.#limiters.values()) limiter.close();
    this.#limiters.clear();
    this.#byModel.clear();
    this.#stops.clear();
  }

  #find(group: string, model: string): QuotaLimiter {
    const family = this.#familyOf(model);
    const name = `${group}/${family}`;
    const limiter = this.#limiters.get(name) ?? this.#make(group, family, name);
    // Names of models come from callers, and so does their number.
    const models = this.#byModel.get(group) ?? new BoundedMap<string, QuotaLimiter>(this.#maxLimiters);
    models.set(model, limiter);
    this.#byModel.set(group, models);
    return limiter;
  }

  #make(group: string, family: string, name: string): QuotaLimiter {
    const { limits, limitsOf, shared, sharedNameOf, clock, random } = this.#options;
    // Everything that an idle limiter knows, its next answer would report again.
    if (this.#limiters.size >= this.#maxLimiters) {
      void (this.#limiters.evict(({ inFlight }) => inFlight === 0) || this.#limiters.evict());
    }
    const stop = this.#stops.get(group) ?? new QuotaStop();
    this.#stops.set(group, stop);
    const limiter = new QuotaLimiter(
      {
        name,
        sharedName: `${sharedNameOf?.(group) ?? group}/${family}`,
        limits: limitsOf?.(group) ?? limits,
        shared,
        clock,
        random,
      },
      stop,
    );
    this.#limiters.set(name, limiter);
    return limiter;
  }

  #forget(limiter: QuotaLimiter): void {
    for (const [group, models] of this.#byModel) {
      for (const [model, known] of models) if (known === limiter) models.delete(model);
      if (models.size > 0) continue;
      this.#byModel.delete(group);
      this.#stops.delete(group);
    }
  }
}

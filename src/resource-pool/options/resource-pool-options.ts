import { ConfigError, type ConfigIssue } from '../../errors/index.ts';
import type { Clock } from '../../internal/clock.ts';
import {
  callable,
  checkOptions,
  clockOption,
  integer,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  required,
  shape,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';
import type { ResourceFactory } from './resource-factory.ts';
import type { SlotPermits } from './slot-permits.ts';

/** Delays between failing creates. Each one is random, from the first delay to three times the one before. */
export interface CreateBackoffOptions {
  /** Shortest and first delay, in milliseconds; at least 1. @defaultValue none: it must be given */
  readonly initialDelayMs: number;
  /** Longest delay, in milliseconds; at least `initialDelayMs`. @defaultValue none: it must be given */
  readonly maxDelayMs: number;
}

export interface ResourcePoolOptions<Resource> {
  /** Makes and destroys the resources. @defaultValue none: it must be given */
  readonly factory: ResourceFactory<Resource>;
  /** Resources to keep after the first use of the pool, idle or not; from 0 to `maxSize`. @defaultValue 0 */
  readonly minSize?: number | undefined;
  /**
   * Most resources that exist at any moment, those being made or destroyed included; at least 1 and `minSize`.
   * @defaultValue 10, or `minSize` if that is more
   */
  readonly maxSize?: number | undefined;
  /** Longest wait of an acquire, in milliseconds. @defaultValue 30_000 */
  readonly acquireTimeoutMs?: number | undefined;
  /** Longest time `factory.create` may take, in milliseconds. @defaultValue 30_000 */
  readonly createTimeoutMs?: number | undefined;
  /** Longest time `factory.validate` may take, in milliseconds. @defaultValue 5_000 */
  readonly validateTimeoutMs?: number | undefined;
  /** Longest time `factory.reset` may take, in milliseconds. @defaultValue 5_000 */
  readonly resetTimeoutMs?: number | undefined;
  /** Longest time that `factory.destroy` counts for `maxSize`, in milliseconds. @defaultValue 5_000 */
  readonly destroyTimeoutMs?: number | undefined;
  /** Longest time for which a resource above `minSize` stays idle, in milliseconds. @defaultValue 300_000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Uses after which a resource is replaced; at least 1. @defaultValue unlimited */
  readonly maxUsageCount?: number | undefined;
  /**
   * Age at which a resource is replaced, in milliseconds. Each lives up to a tenth shorter, so that they are not all
   * replaced at once.
   * @defaultValue unlimited
   */
  readonly maxLifetimeMs?: number | undefined;
  /** Milliseconds between background health checks of idle resources by `factory.validate`. @defaultValue none */
  readonly healthCheckInterval?: number | undefined;
  /** Most acquires that may wait for a resource that is lent; 0 or more. @defaultValue 10_000 */
  readonly maxWaiting?: number | undefined;
  /** Delays between failing creates. @defaultValue `{ initialDelayMs: 100, maxDelayMs: 10_000 }` */
  readonly createBackoff?: CreateBackoffOptions | undefined;
  /**
   * Whether an error of `use`'s function means that the resource is broken and must be destroyed; throwing means yes.
   * @defaultValue never
   */
  readonly isBroken?: ((error: unknown, resource: Resource) => boolean) | undefined;
  /**
   * Milliseconds after which a loan is reported as leaked, with the stack of its acquire. Costs a stack trace per
   * acquire.
   * @defaultValue off
   */
  readonly leakThresholdMs?: number | undefined;
  /**
   * Bounds the resources of several pools together: each resource takes a permit. `minSize` must be 0 with it.
   * @defaultValue none
   */
  readonly permits?: SlotPermits | undefined;
  /** Name in errors. @defaultValue 'resource pool' */
  readonly name?: string | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

const positiveCount = integer({ min: 1 });

/** A hook that is no function would fail at each use, and the pool would make and destroy resources without end. */
const factory: OptionCheck = (value, option) => {
  const issues = withMethods('an object with create and destroy', 'create', 'destroy')(value, option);
  if (issues.length > 0 || value === undefined) return issues;
  const { validate, reset } = value as { readonly validate?: unknown; readonly reset?: unknown };
  return [...callable()(validate, `${option}.validate`), ...callable()(reset, `${option}.reset`)];
};

export const RESOURCE_POOL_SPEC = {
  factory: required(factory, 'an object with create and destroy'),
  minSize: withDefault(integer({ min: 0 }), 0),
  maxSize: positiveCount,
  acquireTimeoutMs: withDefault(milliseconds(), 30_000),
  createTimeoutMs: withDefault(milliseconds(), 30_000),
  validateTimeoutMs: withDefault(milliseconds(), 5_000),
  resetTimeoutMs: withDefault(milliseconds(), 5_000),
  destroyTimeoutMs: withDefault(milliseconds(), 5_000),
  idleTimeoutMs: withDefault(milliseconds(), 300_000),
  maxUsageCount: positiveCount,
  maxLifetimeMs: milliseconds(),
  healthCheckInterval: milliseconds(),
  maxWaiting: withDefault(integer({ min: 0 }), 10_000),
  createBackoff: withDefault(
    shape({ initialDelayMs: required(milliseconds()), maxDelayMs: required(milliseconds()) }),
    { initialDelayMs: 100, maxDelayMs: 10_000 },
  ),
  isBroken: callable(),
  leakThresholdMs: milliseconds(),
  permits: withMethods('an object with join', 'join'),
  name: withDefault(nonEmptyText(), 'resource pool'),
  clock: clockOption,
} satisfies OptionChecks<ResourcePoolOptions<unknown>>;

const DEFAULT_MAX_SIZE = 10;

/** Checked options with every default filled in. */
export type PoolSettings<Resource> = Settings<ResourcePoolOptions<Resource>, typeof RESOURCE_POOL_SPEC> & {
  readonly maxSize: number;
};

/** Fills in the defaults. @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
export function poolSettings<Resource>(given: ResourcePoolOptions<Resource>): PoolSettings<Resource> {
  const options = checkOptions('ResourcePool', given, RESOURCE_POOL_SPEC);
  const settings = { ...options, maxSize: options.maxSize ?? Math.max(DEFAULT_MAX_SIZE, options.minSize) };
  const { minSize, createBackoff } = settings;
  const issues: ConfigIssue[] = [];
  if (minSize > settings.maxSize) {
    issues.push({ option: 'minSize', expected: `at most maxSize (${settings.maxSize})`, got: String(minSize) });
  }
  if (minSize > 0 && settings.permits !== undefined) {
    issues.push({ option: 'minSize', expected: '0 with permits', got: String(minSize) });
  }
  const { initialDelayMs, maxDelayMs } = createBackoff;
  if (initialDelayMs > maxDelayMs) {
    const expected = `at least initialDelayMs (${initialDelayMs})`;
    issues.push({ option: 'createBackoff.maxDelayMs', expected, got: String(maxDelayMs) });
  }
  if (issues.length > 0) throw new ConfigError('ResourcePool', issues);
  return settings;
}

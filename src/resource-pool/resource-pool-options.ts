import { ConfigError, type ConfigIssue } from '../errors/index.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import { definedOf } from '../internal/options/defined-of.ts';
import {
  callable,
  checkOptions,
  integer,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  required,
  shape,
  withMethods,
} from '../internal/options/option-checks.ts';
import type { ResourceFactory } from './resource-factory.ts';

/** Delays between creates that fail: each is drawn from the first delay to three times the last one. */
export interface CreateBackoffOptions {
  /** Shortest and first delay, in milliseconds; at least 1. */
  readonly initialDelayMs: number;
  /** Longest delay, in milliseconds; at least `initialDelayMs`. */
  readonly maxDelayMs: number;
}

export interface ResourcePoolOptions<Resource> {
  /** Makes and unmakes the resources. */
  readonly factory: ResourceFactory<Resource>;
  /** Resources to keep once the pool was first used, idle or not; from 0 to `maxSize`. @defaultValue 0 */
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
  /** Longest time `factory.destroy` may hold its place in the pool, in milliseconds. @defaultValue 5_000 */
  readonly destroyTimeoutMs?: number | undefined;
  /** How long a resource above `minSize` may lie idle, in milliseconds. @defaultValue 300_000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Uses after which a resource is replaced; at least 1. @defaultValue unlimited */
  readonly maxUsageCount?: number | undefined;
  /**
   * Age at which a resource is replaced, in milliseconds; each lives up to a tenth shorter, so that not all go at once.
   * @defaultValue unlimited
   */
  readonly maxLifetimeMs?: number | undefined;
  /** Milliseconds between background health checks of idle resources by `factory.validate`. @defaultValue none */
  readonly healthCheckInterval?: number | undefined;
  /** Most acquirers that may wait for somebody else's resource; 0 or more. @defaultValue 10_000 */
  readonly maxWaiting?: number | undefined;
  /** Delays between creates that fail. @defaultValue `{ initialDelayMs: 100, maxDelayMs: 10_000 }` */
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
  /** Name in errors. @defaultValue 'resource pool' */
  readonly name?: string | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
}

const positiveCount = integer({ min: 1 });

/** A hook that is there but no function would fail at each use, and the pool make and destroy without end. */
const factory: OptionCheck = (value, option) => {
  const issues = withMethods('an object with create and destroy', 'create', 'destroy')(value, option);
  if (issues.length > 0 || value === undefined) return issues;
  const { validate, reset } = value as { readonly validate?: unknown; readonly reset?: unknown };
  return [...callable()(validate, `${option}.validate`), ...callable()(reset, `${option}.reset`)];
};

const CHECKS: OptionChecks<ResourcePoolOptions<unknown>> = {
  factory: required(factory, 'an object with create and destroy'),
  minSize: integer({ min: 0 }),
  maxSize: positiveCount,
  acquireTimeoutMs: milliseconds(),
  createTimeoutMs: milliseconds(),
  validateTimeoutMs: milliseconds(),
  resetTimeoutMs: milliseconds(),
  destroyTimeoutMs: milliseconds(),
  idleTimeoutMs: milliseconds(),
  maxUsageCount: positiveCount,
  maxLifetimeMs: milliseconds(),
  healthCheckInterval: milliseconds(),
  maxWaiting: integer({ min: 0 }),
  createBackoff: shape({
    initialDelayMs: required(milliseconds()),
    maxDelayMs: required(milliseconds()),
  }),
  isBroken: callable(),
  leakThresholdMs: milliseconds(),
  name: nonEmptyText(),
  clock: withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
};

const DEFAULTS = {
  minSize: 0,
  maxSize: 10,
  acquireTimeoutMs: 30_000,
  createTimeoutMs: 30_000,
  validateTimeoutMs: 5_000,
  resetTimeoutMs: 5_000,
  destroyTimeoutMs: 5_000,
  idleTimeoutMs: 300_000,
  maxWaiting: 10_000,
  createBackoff: { initialDelayMs: 100, maxDelayMs: 10_000 },
  name: 'resource pool',
  clock: systemClock,
} as const satisfies Omit<ResourcePoolOptions<unknown>, 'factory'>;

type Defaulted = {
  readonly [Name in keyof typeof DEFAULTS]: NonNullable<ResourcePoolOptions<unknown>[Name]>;
};

/** Checked options with every default filled in. */
export type PoolSettings<Resource> = Omit<ResourcePoolOptions<Resource>, keyof Defaulted> & Defaulted;

/** Fills in the defaults. @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
export function poolSettings<Resource>(given: ResourcePoolOptions<Resource>): PoolSettings<Resource> {
  const options: ResourcePoolOptions<Resource> = checkOptions('ResourcePool', given, CHECKS);
  const maxSize = Math.max(DEFAULTS.maxSize, options.minSize ?? 0);
  const settings = { ...options, ...DEFAULTS, maxSize, ...definedOf(options) };
  const { minSize, createBackoff } = settings;
  const issues: ConfigIssue[] = [];
  if (minSize > settings.maxSize) {
    issues.push({ option: 'minSize', expected: `at most maxSize (${settings.maxSize})`, got: String(minSize) });
  }
  const { initialDelayMs, maxDelayMs } = createBackoff;
  if (initialDelayMs > maxDelayMs) {
    const expected = `at least initialDelayMs (${initialDelayMs})`;
    issues.push({ option: 'createBackoff.maxDelayMs', expected, got: String(maxDelayMs) });
  }
  if (issues.length > 0) throw new ConfigError('ResourcePool', issues);
  return settings;
}

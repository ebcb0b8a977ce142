import { ConfigError } from '../errors/index.ts';
import type { BackoffOptions } from '../internal/backoff.ts';
import type { Clock } from '../internal/clock.ts';
import {
  anything,
  callable,
  checkOptions,
  finiteNumber,
  integer,
  milliseconds,
  nonEmptyText,
  type OptionChecks,
  required,
  shape,
  withMethods,
} from '../internal/option-checks.ts';
import type { ResourceFactory } from './resource-factory.ts';

export interface ResourcePoolOptions<Resource> {
  /** Makes and unmakes the resources. */
  readonly factory: ResourceFactory<Resource>;
  /** Resources to keep once the pool was first used, idle or not; 0 or more. @defaultValue 0 */
  readonly minSize?: number | undefined;
  /** Most resources that exist at any moment, those being made or destroyed included; at least 1 and `minSize`. @defaultValue 10 */
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
  /** Age at which a resource is replaced, in milliseconds; each lives up to a tenth shorter, so that not all go at once. @defaultValue unlimited */
  readonly maxLifetimeMs?: number | undefined;
  /** Milliseconds between background health checks of idle resources by `factory.validate`. @defaultValue none */
  readonly healthCheckInterval?: number | undefined;
  /** Most acquirers that may wait for somebody else's resource; 0 or more. @defaultValue 10_000 */
  readonly maxWaiting?: number | undefined;
  /** Delays between creates that fail. @defaultValue `{ initialDelayMs: 100, maxDelayMs: 10_000 }` */
  readonly createBackoff?: BackoffOptions | undefined;
  /** Whether an error of `use`'s function means that the resource is broken and must be destroyed; throwing means yes. @defaultValue never */
  readonly isBroken?: ((error: unknown, resource: Resource) => boolean) | undefined;
  /** Milliseconds after which a loan is reported as leaked, with the stack of its acquire. Costs a stack trace per acquire. @defaultValue off */
  readonly leakThresholdMs?: number | undefined;
  /** Name in errors. @defaultValue 'resource pool' */
  readonly name?: string | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
}

export interface DrainOptions {
  /** Longest wait for loans to come back, in milliseconds. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;

const positiveCount = integer({ min: 1 });

const CHECKS: OptionChecks<ResourcePoolOptions<unknown>> = {
  factory: required(withMethods('an object with create and destroy', 'create', 'destroy')),
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
    factor: finiteNumber({ min: 1 }),
  }),
  isBroken: callable(),
  leakThresholdMs: milliseconds(),
  name: nonEmptyText(),
  clock: anything(),
};

export const DEFAULTS = {
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
} as const satisfies Omit<ResourcePoolOptions<unknown>, 'factory'>;

/** Throws a `ConfigError` that lists everything wrong. */
export function checkResourcePoolOptions<Resource>(options: ResourcePoolOptions<Resource>): void {
  checkOptions('ResourcePool', options as ResourcePoolOptions<unknown>, CHECKS);
  const { minSize = DEFAULTS.minSize, maxSize = DEFAULTS.maxSize } = options;
  if (minSize > maxSize) {
    throw new ConfigError('ResourcePool', [
      { option: 'minSize', expected: `at most maxSize (${maxSize})`, got: String(minSize) },
    ]);
  }
}

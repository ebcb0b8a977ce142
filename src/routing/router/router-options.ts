import { ConfigError } from '../../errors/config-error.ts';
import type { Random } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import {
  anything,
  callable,
  checkOptions,
  clockOption,
  describeKind,
  describeValue,
  finiteNumber,
  integer,
  listOf,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  required,
  shape,
  whichever,
} from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';
import type { RouterQuota } from './router-quota.ts';

/** One way to the API: a key at a base URL, or whatever else `target` stands for. */
export interface RouterEndpoint<Target> {
  /** Names it in statistics and errors; unique, and never a key. @defaultValue none: it must be given */
  readonly name: string;
  /** The parts that an attempt needs to use it; the router only hands them on. @defaultValue none: it must be given */
  readonly target: Target;
  /** Its share beside the others while all have capacity; above 0. @defaultValue 1 */
  readonly weight?: number | undefined;
  /**
   * Names the limits that its calls are counted against. Endpoints that name none share the group of the first endpoint
   * whose answers name the same organisation. @defaultValue the name
   */
  readonly quotaGroup?: string | undefined;
  /** Sent in place of the model that the call names, such as the name of a deployment. @defaultValue the call's */
  readonly model?: string | undefined;
  /**
   * Most calls in flight here, of all models, at least 1. The adaptive limit of each model stays within it.
   * @defaultValue 256
   */
  readonly maxConcurrency?: number | undefined;
  /**
   * Calls in flight of one model from which the adaptive limit starts, at least 1; at most `maxConcurrency`.
   * @defaultValue 10, and 4 until the first answer
   */
  readonly initialConcurrency?: number | undefined;
}

/** Gives the milliseconds for which the breaker of an endpoint and model lets nothing through. */
export type BreakerWait = (endpoint: string, model: string) => number;

export interface RouterOptions<Target> {
  /** At least one endpoint, each with a unique name. @defaultValue none: they must be given */
  readonly endpoints: readonly RouterEndpoint<Target>[];
  /**
   * The quota of a group for a model; the same one for the same group and family of models.
   * @defaultValue none: it must be given
   */
  readonly quotas: (quotaGroup: string, model: string) => RouterQuota;
  /**
   * Milliseconds for which the breaker of an endpoint and model lets nothing through: 0 while it does, `Infinity` while
   * it is isolated. Asked only where there are several endpoints: with one the attempt runs into the breaker.
   * @defaultValue none
   */
  readonly breakerWaitMs?: BreakerWait | undefined;
  /** Most calls that wait, of all models, at least 1. More calls are rejected. @defaultValue 10000 */
  readonly maxQueued?: number | undefined;
  /**
   * Milliseconds of waiting that count as one step of priority, at least 1. A call n steps higher overtakes only calls
   * that arrived within n times this time, so nothing starves.
   * @defaultValue 5000
   */
  readonly ageingMs?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Source of chance among endpoints, numbers in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

export const ROUTER_ENDPOINT_SPEC = {
  name: required(nonEmptyText(), 'a non-empty string'),
  target: anything(),
  weight: finiteNumber({ min: Number.MIN_VALUE }),
  quotaGroup: nonEmptyText(),
  model: nonEmptyText(),
  maxConcurrency: integer({ min: 1 }),
  initialConcurrency: integer({ min: 1 }),
} satisfies OptionChecks<RouterEndpoint<unknown>>;

const endpointsCheck: OptionCheck = whichever(
  [[(value) => Array.isArray(value) && value.length > 0, listOf(shape(ROUTER_ENDPOINT_SPEC))]],
  (value, option) => [{ option, expected: 'an array of at least one endpoint', got: describeKind(value) }],
);

export const ROUTER_SPEC = {
  endpoints: required(endpointsCheck, 'at least one endpoint'),
  quotas: required(callable(), 'a function'),
  breakerWaitMs: callable(),
  maxQueued: withDefault(integer({ min: 1 }), 10_000),
  ageingMs: withDefault(milliseconds(), 5_000),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<RouterOptions<unknown>>;

export type RouterSettings<Target> = Settings<RouterOptions<Target>, typeof ROUTER_SPEC>;

/**
 * Every option with its default.
 * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
 */
export function routerSettingsOf<Target>(options: RouterOptions<Target>): RouterSettings<Target> {
  const settings = checkOptions('Router', options, ROUTER_SPEC);
  const names = settings.endpoints.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ConfigError('Router', [
      { option: 'endpoints', expected: 'names that differ', got: `${describeValue(twice)} twice` },
    ]);
  }
  return settings;
}

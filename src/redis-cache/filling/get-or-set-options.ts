import type { FlightOptions } from '../../internal/async/single-flight.ts';
import { SET_OPTION_NAMES, type SetOptions } from '../tiers/setter.ts';
import type { ReadOptions } from '../tiers/tiered-reader.ts';

/**
 * Source of a value: made by this call, read from a tier, or stale. `shared`: this call joined another one of this
 * process. A value that another process made meanwhile is `redis`.
 */
export type CacheSource = 'factory' | 'memory' | 'redis' | 'stale' | 'shared';

export interface CacheHit<Value, Source extends CacheSource> {
  readonly value: Value;
  readonly source: Source;
}

/** Options of `getOrSet`. */
export interface GetOrSetOptions extends SetOptions, ReadOptions {
  /**
   * Time to live of the value in seconds. It is shortened at random (`ttlJitterRatio`).
   * @defaultValue the cache's `defaultTTL`
   */
  readonly ttlSeconds?: number | undefined;
  /** Tags by which it can be invalidated. A stored entry that lacks one of them is a miss. @defaultValue none */
  readonly tags?: readonly string[] | undefined;
  /** Rejects this call with its reason; the work goes on while other calls wait for it. */
  readonly signal?: AbortSignal | undefined;
  /** Makes a new value whatever is stored. @defaultValue false */
  readonly forceRefresh?: boolean | undefined;
  /**
   * Milliseconds after which a stale value is served while the factory goes on in the background; 0 never waits.
   * @defaultValue none: a stale value is served only once the factory has failed
   */
  readonly softTimeoutMs?: number | undefined;
  /**
   * Milliseconds after which the factory is aborted and counts as failed.
   * @defaultValue none; 120000 where a stale value can replace its result
   */
  readonly hardTimeoutMs?: number | undefined;
  /**
   * Gives the seconds for which a failure is remembered and thrown again; `undefined` for none. Only errors of this
   * package are remembered.
   * @defaultValue no failure is remembered
   */
  readonly negativeTtlSeconds?: ((error: unknown) => number | undefined) | undefined;
  /** Gets the object that the factory shares with all its callers, whether it is this call's own. @internal */
  readonly onShared?: FlightOptions['onShared'];
}

/** Their names: another one would have no effect. */
export const GET_OR_SET_OPTION_NAMES: Record<keyof GetOrSetOptions, true> = {
  ...SET_OPTION_NAMES,
  signal: true,
  isValid: true,
  forceRefresh: true,
  softTimeoutMs: true,
  hardTimeoutMs: true,
  negativeTtlSeconds: true,
  onShared: true,
};

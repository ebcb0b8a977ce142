import type { FlightContext } from '../../internal/async/single-flight.ts';

/** The value that a factory replaces. */
export interface ReplacedValue {
  readonly value: unknown;
  /** Milliseconds since it was stored. */
  readonly ageMs: number;
}

/** The argument of a factory. */
export interface CacheFactoryContext extends FlightContext {
  /**
   * Replaces `ttlSeconds` for the value in the making, in seconds from 0.001 to ten years. It is shortened at random
   * (`ttlJitterRatio`), as the option is. Has no effect once the factory has ended.
   * @throws `DESCRIBE_INPUT_INVALID` for anything else.
   */
  setTtl(seconds: number): void;
  /**
   * Gives the value in the making these tags beside those of the options, at most 128 together. A later call replaces
   * them. Name a tag in the options where it is known: an invalidation on another process while the factory runs is
   * then seen by Redis itself, and else by the message of that process. Has no effect once the factory has ended.
   * @throws `DESCRIBE_INPUT_INVALID` for anything but that many non-empty strings.
   */
  setTags(tags: readonly string[]): void;
  /**
   * The stored value that this one replaces, for a conditional request: stale within its grace, or still fresh where
   * `isAhead` is true. Absent where there is none, and with `forceRefresh`.
   */
  readonly stale: ReplacedValue | undefined;
  /** Whether no caller waits: the stored value is refreshed ahead of its expiry (`refreshAheadRatio`). */
  readonly isAhead: boolean;
}

/** Makes the value of a key. `signal` aborts when no caller waits any more, or after the hard timeout. */
export type CacheFactory<Value> = (context: CacheFactoryContext) => Value | PromiseLike<Value>;

/** The options that a factory may change. */
export interface FactoryChoiceOptions {
  readonly ttlMs: number;
  readonly tags: readonly string[];
  /** Gives the full name of each tag. */
  readonly nameTags: (tags: readonly string[]) => readonly string[];
}

/** The statements of a factory about the value that it makes. */
export interface FactoryChoices {
  ttlMs: number;
  /** Tags beside those of the options. */
  addedTags: readonly string[];
}

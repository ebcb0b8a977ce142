import type { ErrorCode } from '../../errors/error-code.ts';

/** Tag → its version before the value was made. */
export type TagStamps = Readonly<Record<string, string>>;

/** A failure that is remembered instead of a value. */
export interface StoredFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Plain fields of the error, such as `status`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The entry of a key in both tiers. Times are by the clock of this process. */
export interface CacheEntry {
  /** Unique to a write: two reads with the same id read the same write. */
  readonly id: string;
  /** `undefined` where a failure is remembered. */
  readonly value: unknown;
  readonly failure: StoredFailure | undefined;
  readonly tags: TagStamps;
  readonly freshUntilMs: number;
  /** Its whole time to live: it was stored that long before `freshUntilMs`. */
  readonly ttlMs: number;
  /** End of the grace period; equal to `freshUntilMs` without one. */
  readonly staleUntilMs: number;
  /** Milliseconds that the factory took; 0 where it is not known. */
  readonly costMs: number;
  /** Estimated bytes in memory. */
  readonly bytes: number;
}

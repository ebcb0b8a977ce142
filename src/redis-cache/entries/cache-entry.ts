import type { ErrorCode } from '../../errors/error-code.ts';

/** Tag → version that it had before the value was made. */
export type TagStamps = Readonly<Record<string, string>>;

/** A failure that is remembered instead of a value. */
export interface StoredFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Plain fields of the error, such as `status`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What both tiers hold for a key. Times are readings of this process's clock. */
export interface CacheEntry {
  /** Made for each write: two reads with the same id are the same write. */
  readonly id: string;
  /** What readers get; `undefined` where a failure is remembered. */
  readonly value: unknown;
  readonly failure: StoredFailure | undefined;
  readonly tags: TagStamps;
  readonly freshUntilMs: number;
  /** End of its grace; equal to `freshUntilMs` without grace. */
  readonly staleUntilMs: number;
  /** What the factory took, in milliseconds; 0 where it is not known. */
  readonly costMs: number;
  /** Estimate of what it takes in memory. */
  readonly bytes: number;
}

/** Tells whether any of these tags is on an entry. */
export function carriesAny(stamps: TagStamps, tags: Iterable<string>): boolean {
  for (const tag of tags) if (Object.hasOwn(stamps, tag)) return true;
  return false;
}

/** Shape of an exponential backoff. */
export interface BackoffOptions {
  /** First delay in milliseconds, above 0. */
  readonly initialDelayMs: number;
  /** Longest delay in milliseconds, at least `initialDelayMs`. */
  readonly maxDelayMs: number;
  /** Growth per step. @defaultValue 2 */
  readonly factor?: number | undefined;
}

/** A source of numbers in [0, 1), such as `Math.random`. */
export type Random = () => number;

/**
 * The delay before retry `attempt`, from 1: exponential with full jitter, so uniform in
 * [0, min(max, initial · factor^(attempt-1))].
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015), "full jitter".
 */
export function fullJitterDelay(
  attempt: number,
  { initialDelayMs, maxDelayMs, factor = 2 }: BackoffOptions,
  random: Random = Math.random,
): number {
  return random() * exponentialDelay(attempt, { initialDelayMs, maxDelayMs, factor });
}

/** The same exponential delay without jitter. */
export function exponentialDelay(attempt: number, { initialDelayMs, maxDelayMs, factor = 2 }: BackoffOptions): number {
  return Math.min(maxDelayMs, initialDelayMs * factor ** Math.max(0, attempt - 1));
}

/**
 * The next delay by decorrelated jitter: uniform in [initial, 3 · previous], capped. Pass the previous delay, or
 * `initialDelayMs` at the start.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015), "decorrelated jitter".
 */
export function decorrelatedJitterDelay(
  previousDelayMs: number,
  { initialDelayMs, maxDelayMs }: BackoffOptions,
  random: Random = Math.random,
): number {
  const upper = Math.max(initialDelayMs, previousDelayMs * 3);
  return Math.min(maxDelayMs, initialDelayMs + random() * (upper - initialDelayMs));
}

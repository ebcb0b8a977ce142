/** What an answer says of one dimension of a limit; what it doesn't say is absent. */
export interface RateLimitReading {
  /** Units a minute. */
  readonly limit: number;
  readonly remaining?: number;
  /** Milliseconds until it is full again. */
  readonly resetMs?: number;
}

/** What an answer says of the quota that it was counted against. */
export interface RateLimitSnapshot {
  readonly requests?: RateLimitReading;
  readonly tokens?: RateLimitReading;
}

import type { QuotaDimensionStats } from './quota-limit.ts';

/** How the processes share a quota. */
export interface SharedQuotaStats {
  /** Whether the store answers; while it is away, each process takes its share. */
  readonly available: boolean;
  /** Processes that used the quota lately, this one included. */
  readonly processes: number;
  /** Scripts run, and those that failed. */
  readonly asked: number;
  readonly failed: number;
  /** Requests and tokens granted that are not used yet. */
  readonly heldRequests: number;
  readonly heldTokens: number;
}

export interface QuotaSourceStats {
  readonly requests: QuotaDimensionStats;
  readonly tokens: QuotaDimensionStats;
  /** How the quota is shared with other processes; absent when it isn't. */
  readonly shared?: SharedQuotaStats;
}

/** A snapshot of a limiter, frozen and JSON-safe. */
export interface QuotaStats extends QuotaSourceStats {
  readonly name: string;
  /** Requests sent that have no answer yet. */
  readonly inFlight: number;
  readonly taken: number;
  readonly answered: number;
  /** Refusals with 429. */
  readonly throttled: number;
  /** Requests given back unsent. */
  readonly refunded: number;
  /** Ratio of charged to estimated tokens, as learned. */
  readonly estimateRatio: number;
  /** Milliseconds for which a refusal still pauses the quota, or until one request may probe. */
  readonly pauseMs: number;
  /** Milliseconds that the API asks to wait, where that is more than the 5 minutes after which one request probes. */
  readonly askedPauseMs?: number;
  /** Tokens a minute of the ramp's ceiling; absent when there is none. */
  readonly rampTokensPerMinute?: number;
  /** Whether the account's quota is exhausted. */
  readonly stopped: boolean;
}

import type { QuotaDimensionStats } from './quota-dimension.ts';
import type { SharedQuotaStats } from './quota-source.ts';

/** What a limiter knows. Frozen and JSON-safe. */
export interface QuotaStats {
  readonly name: string;
  readonly requests: QuotaDimensionStats;
  readonly tokens: QuotaDimensionStats;
  /** Requests sent that have no answer yet. */
  readonly inFlight: number;
  readonly taken: number;
  readonly answered: number;
  /** Refusals for going too fast. */
  readonly throttled: number;
  /** Given back unsent. */
  readonly refunded: number;
  /** Charged tokens per estimated one, as learned. */
  readonly estimateRatio: number;
  /** Milliseconds that the pause of a refusal still lasts, or until a request may find out whether it still holds. */
  readonly pauseMs: number;
  /**
   * Milliseconds that the API asks to wait, where that is more than the 5 minutes after which one request finds out.
   */
  readonly askedPauseMs?: number;
  /** Tokens a minute of the ramp's ceiling; absent when there is none. */
  readonly rampTokensPerMinute?: number;
  /** Whether the account's quota is exhausted. */
  readonly stopped: boolean;
  /** How the quota is shared with other processes; absent when it isn't. */
  readonly shared?: SharedQuotaStats;
}

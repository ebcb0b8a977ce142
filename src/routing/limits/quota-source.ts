import type { QuotaPressure } from './limit-pressure.ts';
import type { QuotaSourceStats } from './quota-stats.ts';
import type { QuotaAnswer, QuotaRefusal } from './rate-limit-snapshot.ts';

/**
 * The units that one request took from a source. Exactly one method is called at its end. Each returns whether more may
 * pass.
 */
export interface QuotaTaking {
  answered(answer: QuotaAnswer, nowMs: number): boolean;
  refused(refusal: QuotaRefusal, nowMs: number): boolean;
  refunded(nowMs: number): boolean;
}

/** Where requests and tokens come from: this process's own buckets, or those that processes share. */
export interface QuotaSource {
  /** Whether a limit is known, from an option or from headers. */
  readonly limitsKnown: boolean;
  /** Tokens a millisecond that the API allows all processes, where a limit is known. */
  readonly tokensPerMs: number | undefined;
  /** How many processes use the quota, as far as is known. */
  readonly processes: number;
  waitMs(tokens: number, guardMs: number, nowMs: number): number;
  drainMs(requests: number, tokens: number, nowMs: number): number;
  take(tokens: number, nowMs: number): QuotaTaking;
  /** Tells the other processes that nothing may pass for this time. */
  paused(pauseMs: number, nowMs: number): void;
  pressure(nowMs: number): QuotaPressure;
  stats(nowMs: number): QuotaSourceStats;
  close(): void;
}

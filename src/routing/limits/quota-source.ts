import type { QuotaPressure } from './limit-pressure.ts';
import type { QuotaSourceStats } from './quota-stats.ts';
import type { QuotaAnswer, QuotaRefusal } from './rate-limit-snapshot.ts';

/**
 * Where requests and tokens come from: this process's own buckets, or those that processes share. `Taking` is a
 * source's own record of the units that one request took.
 */
export interface QuotaSource<Taking extends object = object> {
  /** Whether a limit is known, from an option or from headers. */
  readonly limitsKnown: boolean;
  /** Tokens a millisecond that the API allows all processes, where a limit is known. */
  readonly tokensPerMs: number | undefined;
  /** How many processes use the quota, as far as is known. */
  readonly processes: number;
  waitMs(tokens: number, guardMs: number, nowMs: number): number;
  drainMs(requests: number, tokens: number, nowMs: number): number;
  take(tokens: number, nowMs: number): Taking;
  /** A request ends in one of these three ways. Returns whether more may pass than before. */
  answered(taking: Taking, answer: QuotaAnswer, nowMs: number): boolean;
  refused(taking: Taking, refusal: QuotaRefusal, nowMs: number): boolean;
  refunded(taking: Taking, nowMs: number): void;
  /** Tells the other processes that nothing may pass for this time. */
  paused(pauseMs: number, nowMs: number): void;
  pressure(nowMs: number): QuotaPressure;
  stats(nowMs: number): QuotaSourceStats;
  close(): void;
}

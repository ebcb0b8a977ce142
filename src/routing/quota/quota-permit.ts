import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import type { QuotaAnswer, QuotaRefusal } from '../limits/rate-limit-snapshot.ts';
import type { AttemptFailure } from './attempt-report.ts';

/**
 * The right to send one request. It has exactly one end; later ends are ignored. Its methods may be taken apart from
 * it. A caller that has just read the clock passes `nowMs`.
 */
export interface QuotaPermit {
  /** The API answered. */
  answered(answer: QuotaAnswer, nowMs?: number): void;
  /** The API refused with 429: pauses the whole group, and corrects the model of its limits. */
  throttled(refusal: QuotaRefusal, nowMs?: number): void;
  /** The request was sent and got no usable answer: the API has counted it. */
  failed(nowMs?: number): void;
  /** Nothing was sent: gives all units back. */
  refund(nowMs?: number): void;
}

/** The part of a quota that a reservation needs. */
export interface ReservableQuota {
  /** Takes one request of so many tokens; called only where the quota just said that it fits. */
  take(tokens: number, nowMs?: number): QuotaPermit;
  /** The quota of the account is exhausted, as `error` reports. */
  stop(error: DescribeError): void;
}

/** Settles the permit of an attempt that failed. */
export function settleFailed(
  quota: ReservableQuota,
  permit: QuotaPermit,
  { error, report }: AttemptFailure,
  nowMs: number,
): void {
  const failure = DescribeError.is(error) ? (error as UpstreamError) : undefined;
  const kind = failure && failureMeaning(failure).kind;
  if (report.answeredAtMs !== undefined) permit.answered(report, nowMs);
  if (failure !== undefined && kind === 'quota') quota.stop(failure);
  if (!report.sent) {
    permit.refund(nowMs);
  } else if (failure !== undefined && kind === 'throttle') {
    const { retryAfterMs, upstreamCode } = failure;
    permit.throttled({ limits: report.limits, retryAfterMs, slowDown: upstreamCode === 'slow_down' }, nowMs);
  } else {
    permit.failed(nowMs);
  }
}

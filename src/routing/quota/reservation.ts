import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import { AttemptFailure, type AttemptReport } from './attempt-report.ts';
import type { RateLimitSnapshot } from './rate-limit-snapshot.ts';

/** What was taken from a quota for one request. It has one end; later ends are ignored. */
export interface Reservation {
  answered(report: {
    readonly limits?: RateLimitSnapshot | undefined;
    readonly chargedTokens?: number | undefined;
  }): void;
  throttled(report: {
    readonly limits?: RateLimitSnapshot | undefined;
    readonly retryAfterMs?: number | undefined;
    readonly slowDown?: boolean | undefined;
  }): void;
  /** Sent without an answer of use: the API counts it as a request. */
  failed(): void;
  /** Nothing was sent: all is given back. */
  refund(): void;
}

/** The part of a quota that a reservation needs. */
export interface ReservableQuota {
  /** Takes one request of so many tokens; called only where the quota just said that it fits. */
  take(tokens: number): Reservation;
  /** The account is used up: `error` says so. */
  stop(error: DescribeError): void;
}

/** Reserves at once, makes the attempt, and settles the reservation by what became of it. */
export async function withReservation<Answer extends AttemptReport>(
  quota: ReservableQuota,
  tokens: number,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  const reservation = quota.take(tokens);
  let answer: Answer;
  try {
    answer = await attempt();
  } catch (thrown) {
    settleFailed(quota, reservation, AttemptFailure.of(thrown));
    throw thrown;
  }
  reservation.answered(answer);
  return answer;
}

function settleFailed(quota: ReservableQuota, reservation: Reservation, { error, report }: AttemptFailure): void {
  const failure = DescribeError.is(error) ? (error as UpstreamError) : undefined;
  const kind = failure && failureMeaning(failure).kind;
  if (report.answeredAtMs !== undefined) reservation.answered(report);
  if (failure !== undefined && kind === 'quota') quota.stop(failure);
  if (!report.sent) {
    reservation.refund();
  } else if (failure !== undefined && kind === 'throttle') {
    const { retryAfterMs, upstreamCode } = failure;
    reservation.throttled({ limits: report.limits, retryAfterMs, slowDown: upstreamCode === 'slow_down' });
  } else {
    reservation.failed();
  }
}

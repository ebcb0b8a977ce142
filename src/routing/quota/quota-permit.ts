import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import type { QuotaAnswer, QuotaRefusal } from '../limits/rate-limit-snapshot.ts';
import { AttemptFailure, type AttemptReport } from './attempt-report.ts';

/**
 * The right to send one request. It has exactly one end; later ends are ignored. Its methods may be taken apart from
 * it.
 */
export interface QuotaPermit {
  /** The API answered. */
  answered(answer: QuotaAnswer): void;
  /** The API refused with 429: pauses the whole group, and corrects the model of its limits. */
  throttled(refusal: QuotaRefusal): void;
  /** The request was sent and got no usable answer: the API has counted it. */
  failed(): void;
  /** Nothing was sent: gives all units back. */
  refund(): void;
}

/** The part of a quota that a reservation needs. */
export interface ReservableQuota {
  /** Takes one request of so many tokens; called only where the quota just said that it fits. */
  take(tokens: number, nowMs?: number): QuotaPermit;
  /** The quota of the account is exhausted, as `error` reports. */
  stop(error: DescribeError): void;
}

/** Reserves at once, makes the attempt, and settles the permit by what became of it. */
export async function withReservation<Answer extends AttemptReport>(
  quota: ReservableQuota,
  tokens: number,
  nowMs: number,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  const permit = quota.take(tokens, nowMs);
  let answer: Answer;
  try {
    answer = await attempt();
  } catch (thrown) {
    settleFailed(quota, permit, AttemptFailure.of(thrown));
    throw thrown;
  }
  permit.answered(answer);
  return answer;
}

/** Settles the permit of an attempt that failed. */
export function settleFailed(quota: ReservableQuota, permit: QuotaPermit, { error, report }: AttemptFailure): void {
  const failure = DescribeError.is(error) ? (error as UpstreamError) : undefined;
  const kind = failure && failureMeaning(failure).kind;
  if (report.answeredAtMs !== undefined) permit.answered(report);
  if (failure !== undefined && kind === 'quota') quota.stop(failure);
  if (!report.sent) {
    permit.refund();
  } else if (failure !== undefined && kind === 'throttle') {
    const { retryAfterMs, upstreamCode } = failure;
    permit.throttled({ limits: report.limits, retryAfterMs, slowDown: upstreamCode === 'slow_down' });
  } else {
    permit.failed();
  }
}

/** The ends of a permit, as a limiter implements them. */
export interface QuotaEnds<Taken> {
  answered(taken: Taken, answer: QuotaAnswer): void;
  throttled(taken: Taken, refusal: QuotaRefusal): void;
  failed(taken: Taken): void;
  refunded(taken: Taken): void;
}

export class TakenPermit<Taken> implements QuotaPermit {
  readonly #taken: Taken;
  #ends: QuotaEnds<Taken> | undefined;

  constructor(taken: Taken, ends: QuotaEnds<Taken>) {
    this.#taken = taken;
    this.#ends = ends;
  }

  // Accessors, because a call uses one of the four methods: the others are never created.
  get answered(): QuotaPermit['answered'] {
    return (answer) => this.#end()?.answered(this.#taken, answer);
  }

  get throttled(): QuotaPermit['throttled'] {
    return (refusal) => this.#end()?.throttled(this.#taken, refusal);
  }

  get failed(): QuotaPermit['failed'] {
    return () => this.#end()?.failed(this.#taken);
  }

  get refund(): QuotaPermit['refund'] {
    return () => this.#end()?.refunded(this.#taken);
  }

  #end(): QuotaEnds<Taken> | undefined {
    const ends = this.#ends;
    this.#ends = undefined;
    return ends;
  }
}

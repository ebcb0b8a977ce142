import type { RateLimitSnapshot } from '../limits/rate-limit-snapshot.ts';

/** The report of an attempt, however it ended. */
export interface AttemptReport {
  /** Whether bytes may have left. A call that was not sent is refunded, and may go to another endpoint. */
  readonly sent: boolean;
  /** Reading of the clock when it was sent. @defaultValue when it began */
  readonly sentAtMs?: number | undefined;
  /** Reading of the clock when the API answered; absent where it did not. */
  readonly answeredAtMs?: number | undefined;
  readonly limits?: RateLimitSnapshot | undefined;
  /** Tokens that the API counted against the limit. */
  readonly chargedTokens?: number | undefined;
  /** Tokens that the API wrote: most of the time of an answer goes into them. */
  readonly outputTokens?: number | undefined;
  /** Organisation that the API counted the attempt for. */
  readonly organization?: string | undefined;
}

/** The rejection of an attempt on its way through the stages: its error and its report. */
export class AttemptFailure<Report extends AttemptReport = AttemptReport> {
  readonly error: unknown;
  readonly report: Report;

  constructor(error: unknown, report: Report) {
    this.error = error;
    this.report = report;
  }

  /** Any other rejection comes from an attempt that sent nothing. */
  static of(thrown: unknown): AttemptFailure {
    return thrown instanceof AttemptFailure ? thrown : new AttemptFailure(thrown, { sent: false });
  }
}

import type { DescribeError } from '../../errors/describe-error.ts';
import type { QuotaPressure } from '../limits/limit-pressure.ts';
import type { QuotaPermit, ReservableQuota } from '../quota/quota-permit.ts';

/** The right to send one request, as a router takes it. */
export type RouterPermit = QuotaPermit;

/** The quota for an endpoint's calls of one model, as a router sees it. All methods are synchronous. */
export interface RouterQuota extends ReservableQuota {
  /**
   * Milliseconds until a request of so many tokens fits. 0 means now, Infinity not before it calls `onCapacity`
   * listeners. A caller that has just read the clock passes `nowMs`.
   */
  waitMs(tokens: number, nowMs?: number): number;
  /** Calls `listener` whenever the wait may have become shorter than `waitMs` said. */
  onCapacity(listener: () => void): unknown;
  readonly stopped: DescribeError | undefined;
  /**
   * Milliseconds until this many requests of this many tokens in all fit. Without it, only the wait of the next request
   * is known.
   */
  drainMs?(requests: number, tokens: number): number;
  /** Milliseconds that the API still asks to wait, where one request probes earlier; otherwise 0. */
  readonly askedPauseMs?: number;
  /** How short its limits are. */
  readonly pressure?: QuotaPressure;
  /** Whether the limits are known before the first answer, as given ones are. */
  readonly limitsKnown?: boolean;
}

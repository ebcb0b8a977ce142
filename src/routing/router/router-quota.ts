import type { DescribeError } from '../../errors/describe-error.ts';
import type { QuotaPressure } from '../limits/limit-pressure.ts';
import type { QuotaPermit, ReservableQuota } from '../quota/quota-permit.ts';

/** The right to send one request, as a router takes it. */
export type RouterPermit = QuotaPermit;

/**
 * The quota that an endpoint's calls of one model are counted against, as a router sees it. All of it is synchronous.
 */
export interface RouterQuota extends ReservableQuota {
  /**
   * Milliseconds until a request of so many tokens fits; 0 means now, Infinity not before it calls `onCapacity` listeners.
   * `nowMs` is the reading of the clock, where the caller has just made one.
   */
  waitMs(tokens: number, nowMs?: number): number;
  /** Subscribes for whenever the wait may have become shorter than was told. */
  onCapacity(listener: () => void): unknown;
  readonly stopped: DescribeError | undefined;
  /**
   * Milliseconds until so many requests of so many tokens in all will have fitted; without it only the next one is
   * known.
   */
  drainMs?(requests: number, tokens: number): number;
  /** Milliseconds that the API still asks to wait, where one request finds out more often; otherwise 0. */
  readonly askedPauseMs?: number;
  /** How short its limits are. */
  readonly pressure?: QuotaPressure;
  /** Whether the limits are known before the first answer, as given ones are. */
  readonly limitsKnown?: boolean;
}

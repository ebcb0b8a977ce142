import type { Clock } from '../internal/clock.ts';
import {
  checkOptions,
  clockOption,
  integer,
  milliseconds,
  type OptionChecks,
  ratio,
} from '../internal/options/option-checks.ts';
import { withDefault } from '../internal/options/option-spec.ts';

export interface RetryBudgetOptions {
  /** Retries allowed for each call of the window, from 0 to 1. @defaultValue 0.2 */
  readonly retryRatio?: number | undefined;
  /** Retries allowed within a window however few calls it has, at least 0. @defaultValue 3 */
  readonly minRetries?: number | undefined;
  /** Milliseconds for which calls and retries count, at least 1. @defaultValue 10_000 */
  readonly windowMs?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/** A frozen, JSON-safe picture of a budget. */
export interface RetryBudgetStats {
  readonly windowMs: number;
  /** Calls of the window whose first attempt has ended. */
  readonly calls: number;
  /** Retries of the window. */
  readonly retries: number;
  /** Retries that would be allowed now. */
  readonly available: number;
  /** Retries that were refused since the start. */
  readonly refused: number;
}

export const RETRY_BUDGET_SPEC = {
  retryRatio: withDefault(ratio(), 0.2),
  minRetries: withDefault(integer({ min: 0 }), 3),
  windowMs: withDefault(milliseconds(), 10_000),
  clock: clockOption,
} satisfies OptionChecks<RetryBudgetOptions>;

/** Steps in which the window moves on: what is counted is of the last `windowMs`, less a step at most. */
const SLICES = 20;

/**
 * Keeps the retries of all who share it at a share of their calls, so that an outage is not answered by a storm: a
 * retry is allowed only while those of a sliding window stay within `max(minRetries, retryRatio × calls)`.
 *
 * Source: the retry budgets of Finagle ("Retry Budgets", Finagle blog, 2016), whose ratio and window these are; the
 * minimum stands in for the share rather than on top of it, as in Envoy's `retry_budget`.
 *
 * @example
 * ```ts
 * import { createDescribeClient } from '@describe-it/sdk';
 * import { RetryBudget } from '@describe-it/sdk/routing';
 *
 * // One budget for the clients of two tenants that share an upstream.
 * const budget = new RetryBudget({ retryRatio: 0.1 });
 * const first = createDescribeClient({ apiKey: 'sk-…', retry: { budget } });
 * const second = createDescribeClient({ apiKey: 'sk-…', retry: { budget } });
 * ```
 */
export class RetryBudget {
  readonly #retryRatio: number;
  readonly #minRetries: number;
  readonly #windowMs: number;
  readonly #sliceMs: number;
  readonly #clock: Clock;
  readonly #originMs: number;
  readonly #calls = new Float64Array(SLICES);
  readonly #retries = new Float64Array(SLICES);
  #newest = 0;
  #callsInWindow = 0;
  #retriesInWindow = 0;
  #refused = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(options: RetryBudgetOptions = {}) {
    const { retryRatio, minRetries, windowMs, clock } = checkOptions('RetryBudget', options, RETRY_BUDGET_SPEC);
    this.#retryRatio = retryRatio;
    this.#minRetries = minRetries;
    this.#windowMs = windowMs;
    this.#sliceMs = windowMs / SLICES;
    this.#clock = clock;
    this.#originMs = clock.now();
  }

  /** Counts a call, when its first attempt has ended: calls that still wait in a line earn no retries. */
  recordCall(): void {
    const slot = this.#advance();
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1;
    this.#callsInWindow += 1;
  }

  /** Takes a retry out of the budget; false when there is none left, and then nothing is taken. */
  tryWithdraw(): boolean {
    const slot = this.#advance();
    if (this.#available() < 1) {
      this.#refused += 1;
      return false;
    }
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1;
    this.#retriesInWindow += 1;
    return true;
  }

  getStats(): RetryBudgetStats {
    this.#advance();
    return Object.freeze({
      windowMs: this.#windowMs,
      calls: this.#callsInWindow,
      retries: this.#retriesInWindow,
      available: Math.max(0, this.#available()),
      refused: this.#refused,
    });
  }

  /** May be negative once the calls that earned the retries have left the window. */
  #available(): number {
    // A ratio such as 0.1 is a little more or less in binary: a share that is whole on paper is whole here.
    const share = Math.floor(this.#retryRatio * this.#callsInWindow + 1e-9);
    return Math.max(this.#minRetries, share) - this.#retriesInWindow;
  }

  /** Forgets the slices that have left the window; gives the place of the current one. */
  #advance(): number {
    const current = Math.floor((this.#clock.now() - this.#originMs) / this.#sliceMs);
    const passed = Math.min(current - this.#newest, SLICES);
    for (let step = 1; step <= passed; step += 1) {
      const slot = (this.#newest + step) % SLICES;
      this.#callsInWindow -= this.#calls[slot] ?? 0;
      this.#retriesInWindow -= this.#retries[slot] ?? 0;
      this.#calls[slot] = 0;
      this.#retries[slot] = 0;
    }
    if (current > this.#newest) this.#newest = current;
    return this.#newest % SLICES;
  }
}

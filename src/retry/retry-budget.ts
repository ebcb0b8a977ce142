import type { Clock } from '../internal/clock.ts';
import {
  checkOptions,
  clockOption,
  integer,
  milliseconds,
  type OptionChecks,
  ratio,
} from '../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../internal/options/option-spec.ts';

export interface RetryBudgetOptions {
  /** Retries allowed for each call of the window, from 0 to 1. @defaultValue 0.2 */
  readonly retryRatio?: number | undefined;
  /** Retries allowed in a window with few calls, at least 0. @defaultValue 3 */
  readonly minRetries?: number | undefined;
  /** Milliseconds for which calls and retries count, at least 1. @defaultValue 10_000 */
  readonly windowMs?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/** A frozen, JSON-safe snapshot of a budget. */
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

/** Number of steps in which the window moves. It covers the last `windowMs`, less at most one step. */
const SLICES = 20;

/**
 * Limits retries to a share of the calls, so that an outage causes no retry storm. In a sliding window at most
 * `max(minRetries, retryRatio × calls)` retries are allowed. Several policies may share a budget.
 *
 * Source: ratio and window are those of Finagle ("Retry Budgets", Finagle blog, 2016). The minimum replaces the share
 * rather than adding to it, as in Envoy's `retry_budget`.
 *
 * @example
 * ```ts
 * import { createDescribeClient } from '@describe-it/sdk';
 * import { RetryBudget } from '@describe-it/sdk/routing';
 *
 * // One budget for two clients of one upstream.
 * const budget = new RetryBudget({ retryRatio: 0.1 });
 * const first = createDescribeClient({ apiKey: 'sk-…', retry: { budget } });
 * const second = createDescribeClient({ apiKey: 'sk-…', retry: { budget } });
 * ```
 */
export class RetryBudget {
  readonly #settings: Settings<RetryBudgetOptions, typeof RETRY_BUDGET_SPEC>;
  readonly #sliceMs: number;
  readonly #originMs: number;
  readonly #calls = new Float64Array(SLICES);
  readonly #retries = new Float64Array(SLICES);
  #newest = 0;
  #callsInWindow = 0;
  #retriesInWindow = 0;
  #refused = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(options: RetryBudgetOptions = {}) {
    this.#settings = checkOptions('RetryBudget', options, RETRY_BUDGET_SPEC);
    this.#sliceMs = this.#settings.windowMs / SLICES;
    this.#originMs = this.#settings.clock.now();
  }

  /**
   * Counts a call when its first attempt has ended: a queued call earns no retries. A caller that has just read the
   * budget's clock passes `nowMs`.
   */
  recordCall(nowMs = this.#settings.clock.now()): void {
    const slot = this.#advance(nowMs);
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1;
    this.#callsInWindow += 1;
  }

  /** Withdraws one retry. False when none is left. */
  tryWithdraw(): boolean {
    const slot = this.#advance(this.#settings.clock.now());
    if (this.#available() < 1) {
      this.#refused += 1;
      return false;
    }
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1;
    this.#retriesInWindow += 1;
    return true;
  }

  getStats(): RetryBudgetStats {
    this.#advance(this.#settings.clock.now());
    return Object.freeze({
      windowMs: this.#settings.windowMs,
      calls: this.#callsInWindow,
      retries: this.#retriesInWindow,
      available: Math.max(0, this.#available()),
      refused: this.#refused,
    });
  }

  /** Negative when the calls that earned the retries have left the window. */
  #available(): number {
    // A ratio such as 0.1 is not exact in binary. A share that is a whole number on paper is one here.
    const { retryRatio, minRetries } = this.#settings;
    const share = Math.floor(retryRatio * this.#callsInWindow + 1e-9);
    return Math.max(minRetries, share) - this.#retriesInWindow;
  }

  /** Clears the slices that have left the window, and gives the index of the current one. */
  #advance(nowMs: number): number {
    const current = Math.floor((nowMs - this.#originMs) / this.#sliceMs);
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

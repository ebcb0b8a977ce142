import { DescribeError } from '../errors/describe-error.ts';
import { type BackoffOptions, decorrelatedJitterDelay, type Random } from '../internal/backoff.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import { callSafely } from '../internal/emitter.ts';
import {
  callable,
  checkOptions,
  integer,
  milliseconds,
  type OptionChecks,
  withMethods,
} from '../internal/option-checks.ts';
import { sleep } from '../internal/signals.ts';

/** What a retry callback is told before each wait. */
export interface RetryEvent {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** How long the policy waits before the next attempt, in milliseconds. */
  readonly delayMs: number;
}

export interface RetryOptions {
  /** Attempts in all, the first included; from 1 (no retry) to 100. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** Lower end of the first wait, in milliseconds, at least 1. @defaultValue 250 */
  readonly initialDelayMs?: number | undefined;
  /** Longest wait that jitter may choose, in milliseconds. A longer Retry-After is still kept. @defaultValue 10000 */
  readonly maxDelayMs?: number | undefined;
  /** Tells whether an error is worth another attempt. @defaultValue its `retryable` field */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined;
  /** Told of every retry before its wait; what it throws is ignored. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Source of jitter, numbers in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

const DEFAULTS = {
  maxAttempts: 3,
  initialDelayMs: 250,
  maxDelayMs: 10_000,
} as const satisfies RetryOptions;

export const retryOptionChecks: OptionChecks<RetryOptions> = {
  maxAttempts: integer({ min: 1, max: 100 }),
  initialDelayMs: milliseconds(),
  maxDelayMs: milliseconds(),
  isRetryable: callable(),
  onRetry: callable(),
  clock: withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
  random: callable(),
};

/** How one run is bounded. */
export interface RetryRunOptions {
  /** Ends the run at once, waits included, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Reading of the clock after which no attempt makes sense: a wait that would pass it is not begun. */
  readonly deadlineAtMs?: number | undefined;
}

/** What the work is told of itself. */
export interface AttemptContext {
  /** Number of this attempt, from 1. */
  readonly attempt: number;
}

/**
 * Runs work until it succeeds, its error is final, or attempts or time run out; then it rejects with the last error,
 * unwrapped. Waits by decorrelated jitter, and never less than the error's `retryAfterMs`.
 */
export class RetryPolicy {
  readonly #maxAttempts: number;
  readonly #backoff: BackoffOptions;
  readonly #isRetryable: (error: unknown) => boolean;
  readonly #onRetry: ((event: RetryEvent) => void) | undefined;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: RetryOptions = {}) {
    checkOptions('RetryPolicy', options, retryOptionChecks);
    const {
      maxAttempts = DEFAULTS.maxAttempts,
      initialDelayMs = DEFAULTS.initialDelayMs,
      maxDelayMs = DEFAULTS.maxDelayMs,
      isRetryable = isMarkedRetryable,
      onRetry,
      clock = systemClock,
      random = Math.random,
    } = options;
    this.#maxAttempts = maxAttempts;
    this.#backoff = { initialDelayMs, maxDelayMs: Math.max(initialDelayMs, maxDelayMs) };
    this.#isRetryable = isRetryable;
    this.#onRetry = onRetry;
    this.#clock = clock;
    this.#random = random;
  }

  async run<Value>(
    work: (context: AttemptContext) => Promise<Value>,
    { signal, deadlineAtMs = Number.POSITIVE_INFINITY }: RetryRunOptions = {},
  ): Promise<Value> {
    let previousDelayMs = this.#backoff.initialDelayMs;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      try {
        return await work({ attempt });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (attempt >= this.#maxAttempts || !this.#retryable(error)) throw error;
        previousDelayMs = decorrelatedJitterDelay(previousDelayMs, this.#backoff, this.#random);
        const delayMs = delayAfter(error, previousDelayMs, this.#random);
        if (this.#clock.now() + delayMs >= deadlineAtMs) throw error;
        this.#tell({ attempt, error, delayMs });
        await sleep(delayMs, { signal, clock: this.#clock });
      }
    }
  }

  #retryable(error: unknown): boolean {
    try {
      // A promise, from a predicate that is async by mistake, is no yes; what it rejects with is swallowed.
      const verdict: unknown = this.#isRetryable(error);
      if (verdict instanceof Promise) verdict.catch(() => {});
      return verdict === true;
    } catch {
      return false;
    }
  }

  #tell(event: RetryEvent): void {
    if (this.#onRetry !== undefined) callSafely(this.#onRetry, event);
  }
}

const isMarkedRetryable = (error: unknown) => DescribeError.is(error) && error.retryable;

/** Retry-After is a minimum: jitter of up to a tenth goes on top, so that those who wait do not return together. */
function delayAfter(error: unknown, backoffMs: number, random: Random): number {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown };
  if (typeof retryAfterMs !== 'number' || !(retryAfterMs > 0)) return backoffMs;
  return Math.max(backoffMs, retryAfterMs * (1 + random() * 0.1));
}

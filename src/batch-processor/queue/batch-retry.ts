import { DescribeError } from '../../errors/describe-error.ts';
import { answerNow } from '../../internal/async/user-callback.ts';
import { fullJitterDelay, type Random } from '../../internal/backoff.ts';
import { MAX_TIMER_DELAY_MS } from '../../internal/clock.ts';
import {
  callable,
  finiteNumber,
  integer,
  milliseconds,
  type OptionChecks,
  settingsOf,
} from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';

/** How the failed items of a batch are tried again. */
export interface BatchRetryOptions {
  /** Most tries of an item, the first included; a whole number of at least 1. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** Upper bound of the first delay, in milliseconds, at least 1; delays have full jitter. @defaultValue 500 */
  readonly initialDelayMs?: number | undefined;
  /**
   * Upper bound of any delay, in milliseconds, at least 1. An error whose `retryAfterMs` is longer is not tried again.
   * @defaultValue 30000
   */
  readonly maxDelayMs?: number | undefined;
  /** Growth of the bound per try, at least 1. @defaultValue 2 */
  readonly factor?: number | undefined;
  /**
   * Whether an item that failed with this error may succeed later. Gets the error that the handler returned or threw.
   * When it throws itself, the item is not tried again.
   * @defaultValue a `DescribeError` by its `retryable`, any other error yes
   */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined;
  /** Source of jitter in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

export const BATCH_RETRY_SPEC = {
  maxAttempts: withDefault(integer({ min: 1 }), 3),
  initialDelayMs: withDefault(milliseconds(), 500),
  maxDelayMs: withDefault(milliseconds(), 30_000),
  factor: withDefault(finiteNumber({ min: 1 }), 2),
  isRetryable: callable(),
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<BatchRetryOptions>;

const JITTER_RATIO = 0.1;

/** Decides on further tries; never throws. */
export class BatchRetry {
  readonly #settings: Settings<BatchRetryOptions, typeof BATCH_RETRY_SPEC>;

  constructor(options: BatchRetryOptions) {
    this.#settings = settingsOf(options, BATCH_RETRY_SPEC);
  }

  /** Whether an item that failed with this error in that attempt is worth another one. */
  allows(error: unknown, attempt: number): boolean {
    const { maxAttempts, maxDelayMs, isRetryable = retryableByDefault } = this.#settings;
    if (attempt >= maxAttempts || retryAfterMsOf(error) > maxDelayMs) return false;
    return answerNow(isRetryable, error, false) === true;
  }

  /**
   * Milliseconds until the next try of items that failed with these errors, at least the wait that the errors ask for.
   */
  delayMs(errors: readonly unknown[], attempt: number): number {
    const backoffMs = fullJitterDelay(attempt, this.#settings, this.#jitter);
    // The wait that errors ask for is a minimum. A little is added, so that many items do not come back at the same
    // moment.
    const askedMs = longestRetryAfterMs(errors) * (1 + JITTER_RATIO * this.#jitter());
    return Math.min(MAX_TIMER_DELAY_MS, Math.max(backoffMs, askedMs));
  }

  /** A number in [0, 1) of the source; the middle when it gives none. */
  readonly #jitter = (): number => {
    const value = answerNow(this.#settings.random, undefined, 0.5);
    return value >= 0 && value <= 1 ? value : 0.5;
  };
}

/** Milliseconds that these errors ask to wait, 0 when none does. */
export function longestRetryAfterMs(errors: readonly unknown[]): number {
  return errors.reduce<number>((longest, error) => Math.max(longest, retryAfterMsOf(error)), 0);
}

function retryableByDefault(error: unknown): boolean {
  return DescribeError.is(error) ? error.retryable : true;
}

const retryAfterMsOf = (error: unknown): number => answerNow(readRetryAfterMs, error, 0);

function readRetryAfterMs(error: unknown): number {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0;
}

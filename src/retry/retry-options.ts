import type { RetryGiveUpReason } from '../errors/call-explanation.ts';
import type { FailureKind } from '../errors/failure-meaning.ts';
import type { Random } from '../internal/backoff.ts';
import type { Clock } from '../internal/clock.ts';
import {
  anything,
  callable,
  clockOption,
  finiteNumber,
  hasMethods,
  integer,
  milliseconds,
  type OptionCheck,
  type OptionChecks,
  shape,
  whichever,
} from '../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../internal/options/option-spec.ts';
import { RETRY_BUDGET_SPEC, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';

/** What a retry callback is told before each wait. */
export interface RetryEvent {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** How long the policy waits before the next attempt, in milliseconds. */
  readonly delayMs: number;
}

/** What is told when no further attempt is made after a failure. An abort is not told: it is nobody's failure. */
export interface RetryGiveUpEvent {
  /** Attempts that were made. */
  readonly attempts: number;
  readonly error: unknown;
  readonly reason: RetryGiveUpReason;
}

/** Classes of failures that are worth another attempt. */
export type RetryClass = Extract<FailureKind, 'outage' | 'throttle' | 'content'>;

/** What is different for one class of failures. */
export interface RetryClassPolicy {
  /** Attempts in all after which an error of this class ends the run, from 1 to 100. @defaultValue the policy's */
  readonly maxAttempts?: number | undefined;
  /**
   * Lower end of the first wait after an error of this class, in milliseconds, at least 1.
   * @defaultValue the policy's
   */
  readonly initialDelayMs?: number | undefined;
  /** Longest wait that jitter may choose, in milliseconds. @defaultValue the policy's */
  readonly maxDelayMs?: number | undefined;
}

export interface RetryOptions {
  /** Attempts in all, the first included; from 1 (no retry) to 100. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** Lower end of the first wait, in milliseconds, at least 1. @defaultValue 250 */
  readonly initialDelayMs?: number | undefined;
  /** Longest wait that jitter may choose, in milliseconds. A longer Retry-After is still kept. @defaultValue 10000 */
  readonly maxDelayMs?: number | undefined;
  /**
   * What is different for a class of failures: `outage` (the service or the way to it failed), `throttle` (too fast for
   * a limit), `content` (an answer that is none). @defaultValue nothing is
   */
  readonly policies?: { readonly [Class in RetryClass]?: RetryClassPolicy | undefined } | undefined;
  /**
   * Bounds the retries of all runs to a share of the calls: options, a budget that is shared with other policies, or
   * `false` for no bound. @defaultValue 20 % of the calls of 10 s, and at least 3
   */
  readonly budget?: RetryBudgetOptions | RetryBudget | false | undefined;
  /**
   * Least milliseconds that an attempt needs, at least 0: with less than that left before the deadline after a wait,
   * none is made. @defaultValue learned: the time of the fastest success of the last minute or two
   */
  readonly minAttemptMs?: number | undefined;
  /** Tells whether an error is worth another attempt. @defaultValue its `retryable` field */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined;
  /**
   * Tells whether the next attempt after this error is held back elsewhere, as by a rate limiter that paused: it then
   * begins at once, and neither backoff nor Retry-After is waited for here. @defaultValue none is
   */
  readonly isPaced?: ((error: unknown) => boolean) | undefined;
  /** Told of every retry before its wait; what it throws is ignored. @defaultValue none */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /** Told why no further attempt is made after a failure; what it throws is ignored. @defaultValue none */
  readonly onGiveUp?: ((event: RetryGiveUpEvent) => void) | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Source of jitter, numbers in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

export const RETRY_CLASS_SPEC = {
  maxAttempts: integer({ min: 1, max: 100 }),
  initialDelayMs: milliseconds(),
  maxDelayMs: milliseconds(),
} satisfies OptionChecks<RetryClassPolicy>;

const isOff: readonly [(value: unknown) => boolean, OptionCheck] = [(value) => value === false, anything()];

/** Recognised by its methods: a budget of another copy of this package is one too. */
export const isRetryBudget = (value: unknown): value is RetryBudget =>
  hasMethods(value, ['recordCall', 'tryWithdraw', 'getStats']);

export const RETRY_SPEC = {
  maxAttempts: withDefault(RETRY_CLASS_SPEC.maxAttempts, 3),
  initialDelayMs: withDefault(RETRY_CLASS_SPEC.initialDelayMs, 250),
  maxDelayMs: withDefault(RETRY_CLASS_SPEC.maxDelayMs, 10_000),
  policies: shape({
    outage: shape(RETRY_CLASS_SPEC),
    throttle: shape(RETRY_CLASS_SPEC),
    content: shape(RETRY_CLASS_SPEC),
  } satisfies OptionChecks<Record<RetryClass, RetryClassPolicy>>),
  budget: whichever([isOff, [isRetryBudget, anything()]], shape(RETRY_BUDGET_SPEC)),
  minAttemptMs: finiteNumber({ min: 0 }),
  isRetryable: callable(),
  isPaced: callable(),
  onRetry: callable(),
  onGiveUp: callable(),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<RetryOptions>;

/** Options with their defaults. */
export type RetrySettings = Settings<RetryOptions, typeof RETRY_SPEC>;

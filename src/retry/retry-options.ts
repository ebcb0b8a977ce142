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

/** A retry, as listeners are notified of it before its wait. */
export interface RetryEvent {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** Milliseconds that the policy waits before the next attempt. */
  readonly delayMs: number;
}

/** The end of a run after a failure, as listeners are notified of it. An abort is no failure, and is not reported. */
export interface RetryGiveUpEvent {
  /** Attempts that were made. */
  readonly attempts: number;
  readonly error: unknown;
  readonly reason: RetryGiveUpReason;
}

/** The situation after a failed attempt, for `shouldRetry`. */
export interface RetryQuestion {
  /** Attempts made so far, this one included; those of other forms of the same request too. */
  readonly attempt: number;
  /** Milliseconds since the first attempt of this run began. */
  readonly elapsedMs: number;
  /** Milliseconds that the policy would wait before the next attempt. */
  readonly delayMs: number;
  /** Aborts when the run is over; absent where the run has no signal. */
  readonly signal: AbortSignal | undefined;
}

/** Classes of failures that are worth another attempt. */
export type RetryClass = Extract<FailureKind, 'outage' | 'throttle' | 'content'>;

/** Settings for one class of failures. */
export interface RetryClassPolicy {
  /** Attempts in all after which an error of this class ends the run, from 1 to 100. @defaultValue the policy's */
  readonly maxAttempts?: number | undefined;
  /**
   * Shortest first wait after an error of this class, in milliseconds, at least 1.
   * @defaultValue the policy's
   */
  readonly initialDelayMs?: number | undefined;
  /** Longest wait that jitter chooses, in milliseconds. @defaultValue the policy's */
  readonly maxDelayMs?: number | undefined;
}

export interface RetryOptions {
  /** Attempts in all, the first included; from 1 (no retry) to 100. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** Shortest first wait, in milliseconds, at least 1. @defaultValue 250 */
  readonly initialDelayMs?: number | undefined;
  /** Longest wait that jitter chooses, in milliseconds. A longer Retry-After still counts. @defaultValue 10000 */
  readonly maxDelayMs?: number | undefined;
  /**
   * Settings for a class of failures: `outage` (the service or the connection failed), `throttle` (a limit was passed),
   * `content` (an answer without a usable description). @defaultValue none
   */
  readonly policies?: { readonly [Class in RetryClass]?: RetryClassPolicy | undefined } | undefined;
  /**
   * Limits the retries of all runs to a share of the calls. Options, a shared budget, or `false` for no limit.
   * @defaultValue 20 % of the calls of 10 s, and at least 3
   */
  readonly budget?: RetryBudgetOptions | RetryBudget | false | undefined;
  /**
   * Shortest time of an attempt in milliseconds, at least 0. No attempt is made with less time left before the
   * deadline. @defaultValue learned: the fastest success of the last one or two minutes
   */
  readonly minAttemptMs?: number | undefined;
  /** Tells whether an error is worth another attempt. @defaultValue its `retryable` field */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined;
  /**
   * Asked last before a retry, with the error and the situation. It can forbid a retry, and allows none that
   * `isRetryable`, `maxAttempts`, the deadline or the budget forbids. Only `true`, or a promise of it, lets the retry
   * happen. When it throws or rejects, there is none, and the error of the attempt stands. The run waits for its
   * promise until its signal aborts or its deadline passes.
   * @defaultValue every retry is allowed
   */
  readonly shouldRetry?: ((error: unknown, question: RetryQuestion) => boolean | PromiseLike<boolean>) | undefined;
  /**
   * Tells whether something else delays the next attempt after this error, such as a rate limiter. It then starts at
   * once, without backoff or Retry-After. @defaultValue none does
   */
  readonly isPaced?: ((error: unknown) => boolean) | undefined;
  /** Notified of every retry before its wait; its errors are ignored. @defaultValue none */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /** Notified when a run ends after a failure; its errors are ignored. @defaultValue none */
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

/** Recognises a budget by its methods: it may be of another copy of this package. */
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
  shouldRetry: callable(),
  isPaced: callable(),
  onRetry: callable(),
  onGiveUp: callable(),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<RetryOptions>;

/** Options with their defaults. */
export type RetrySettings = Settings<RetryOptions, typeof RETRY_SPEC>;

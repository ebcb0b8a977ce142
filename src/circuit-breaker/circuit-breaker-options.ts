import { ConfigError, type ConfigIssue } from '../errors/config-error.ts';
import type { Random } from '../internal/backoff.ts';
import type { Clock } from '../internal/clock.ts';
import {
  callable,
  clockOption,
  describeKind,
  describeValue,
  finiteNumber,
  integer,
  milliseconds,
  nonEmptyText,
  type OptionChecks,
  ownOptions,
  ratio,
  required,
  settingsOf,
  shape,
} from '../internal/options/option-checks.ts';
import { defaultsOf, withDefault } from '../internal/options/option-spec.ts';
import type { CircuitSettings } from './circuit/circuit.ts';
import { guardedClock } from './circuit/guarded-clock.ts';
import { requestedRetryAfterMs } from './circuit/requested-retry-after.ts';
import { defaultIsFailure } from './verdict/default-is-failure.ts';
import type { Judges } from './verdict/verdict.ts';

/** Answers in place of a call that failed or was not made. */
export type CircuitBreakerFallback<Args extends unknown[], Result> = (
  error: unknown,
  ...args: Args
) => Result | PromiseLike<Result>;

export interface CircuitBreakerOptions<Args extends unknown[] = unknown[], Result = unknown> {
  /**
   * Failures in a row that open the breaker, whatever the time between them (see `failureDecayMs`). At least 1.
   * @defaultValue 5
   */
  readonly failureThreshold?: number | undefined;
  /**
   * Every such span without a failure takes one failure off the run, so that a failure a day never adds up.
   * Milliseconds.
   * @defaultValue 600000
   */
  readonly failureDecayMs?: number | undefined;
  /**
   * Share of failures in the window that opens the breaker, from 1 to 100, reached or passed. Only a failure opens.
   * @defaultValue 50
   */
  readonly errorThresholdPercentage?: number | undefined;
  /**
   * Outcomes that the window must hold before a share of it means something. At least 1.
   * @defaultValue 10, or `windowCalls` when that is less
   */
  readonly minimumCalls?: number | undefined;
  /**
   * Length of the window in milliseconds; calls enter it when they end. Not together with `windowCalls`.
   * @defaultValue 60000
   */
  readonly windowMs?: number | undefined;
  /** Makes the window the last so many outcomes instead of a time. From 1 to 1000000. @defaultValue none */
  readonly windowCalls?: number | undefined;
  /** Length of a break in milliseconds, unless the error asks for another (`retryAfterMs`). @defaultValue 60000 */
  readonly resetTimeoutMs?: number | undefined;
  /**
   * Doubles every further break up to this many milliseconds until the breaker closes. At least `resetTimeoutMs`.
   * @defaultValue none: every break is as long
   */
  readonly maxResetTimeoutMs?: number | undefined;
  /**
   * Random share of a break, so that many processes do not probe at once. A break lasts (1 - ratio) to 1 times its
   * length.
   * @defaultValue 0.2 with `maxResetTimeoutMs`, else 0
   */
  readonly resetJitterRatio?: number | undefined;
  /** A call that took at least so many milliseconds is slow. @defaultValue none: nothing is */
  readonly slowCallDurationMs?: number | undefined;
  /** Share of slow calls in the window that opens the breaker. Needs `slowCallDurationMs`. @defaultValue 0.5 */
  readonly slowCallRatio?: number | undefined;
  /** Probes that a half-open breaker lets through before it decides. At least 1. @defaultValue 1 */
  readonly halfOpenMaxCalls?: number | undefined;
  /** Share of these probes that must succeed (and not be slow) to close. @defaultValue 1 */
  readonly halfOpenSuccessRatio?: number | undefined;
  /**
   * A probe that has not ended after so many milliseconds is aborted and counts as failed. Shorter than healthy calls
   * take, it would keep the breaker open for ever.
   * @defaultValue `timeoutMs`, else `resetTimeoutMs` but at least 60000
   */
  readonly halfOpenTimeoutMs?: number | undefined;
  /**
   * Aborts a call and rejects it with `DESCRIBE_TIMEOUT` after so many milliseconds; that always is a failure.
   * @defaultValue none
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Tells whether a rejection is evidence against the other side. `false` is neutral: neither success nor failure, and
   * a probe is repeated. If it throws or returns a promise, the rejection is a failure. It is not called for an
   * `AbortError`, or for a call whose caller aborted a signal among the arguments: these are neutral. It is not called
   * for a timeout either, which is a failure, as is `AbortSignal.timeout`.
   * @defaultValue all but throttles and the caller's own faults: HTTP 4xx other than 408 and 409, and their codes
   */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /**
   * Says whether a result is a failure although nothing was thrown, such as a 503 response. The caller still gets it.
   * @defaultValue none is
   */
  readonly isFailureResult?: ((result: Result) => boolean) | undefined;
  /**
   * Says whether a result that is no failure is neutral, such as a 429 or 404 response. The caller still gets it.
   * @defaultValue none is
   */
  readonly isNeutralResult?: ((result: Result) => boolean) | undefined;
  /**
   * Milliseconds that the failing side asked to be left alone, by the error (or the result that `isFailureResult`
   * condemned) that opens the breaker. At most `maxResetTimeoutMs`, else an hour, or `resetTimeoutMs` where that is
   * longer; what is not above 0 is no answer.
   * @defaultValue its own `retryAfterMs`, or `Retry-After` among its `headers` or those of its `response`
   */
  readonly retryAfterMs?: ((failure: unknown) => number | undefined) | undefined;
  /**
   * Answers in place of a failure or a rejection by the open breaker; neutral errors pass. When it fails, the caller
   * gets the first error.
   * @defaultValue none
   */
  readonly fallback?: CircuitBreakerFallback<Args, Result> | undefined;
  /**
   * Source of time. The reset timer is a global one: tests fake global timers along with it.
   * @defaultValue the system clock
   */
  readonly clock?: Clock | undefined;
  /** Source of chance for the jitter, in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

/** Calls may take longer than a break lasts, and a probe that is cut short says nothing about the other side. */
const SHORTEST_DEFAULT_PROBE_MS = 60_000;

/** Jitter of a break that grows; one of a fixed length is kept to the millisecond unless asked otherwise. */
const GROWING_JITTER_RATIO = 0.2;

export const BREAKER_SPEC = {
  failureThreshold: withDefault(integer({ min: 1 }), 5),
  failureDecayMs: withDefault(milliseconds(), 600_000),
  errorThresholdPercentage: withDefault(finiteNumber({ min: 1, max: 100 }), 50),
  minimumCalls: integer({ min: 1 }),
  windowMs: withDefault(milliseconds(), 60_000),
  windowCalls: integer({ min: 1, max: 1_000_000 }),
  resetTimeoutMs: withDefault(milliseconds(), 60_000),
  maxResetTimeoutMs: milliseconds(),
  resetJitterRatio: ratio(),
  slowCallDurationMs: milliseconds(),
  slowCallRatio: withDefault(ratio(), 0.5),
  halfOpenMaxCalls: withDefault(integer({ min: 1 }), 1),
  halfOpenSuccessRatio: withDefault(ratio(), 1),
  halfOpenTimeoutMs: milliseconds(),
  timeoutMs: milliseconds(),
  isFailure: withDefault(callable(), defaultIsFailure),
  isFailureResult: callable(),
  isNeutralResult: callable(),
  retryAfterMs: withDefault(callable(), requestedRetryAfterMs),
  fallback: callable(),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<CircuitBreakerOptions>;

/** Checks everything a breaker is made of and throws one `ConfigError` that lists all that is wrong. */
export function checkBreaker<Options extends object>(name: unknown, action: unknown, options: Options): Options {
  throwIfAny([...actionIssues(name, action), ...optionIssues(options)]);
  return ownOptions<object>(options, BREAKER_SPEC) as Options;
}

export function checkAction(name: unknown, action: unknown): void {
  throwIfAny(actionIssues(name, action));
}

/** Before options are taken apart. */
export function checkIsObject(options: unknown): void {
  if (typeof options === 'object' && options !== null) return;
  throwIfAny([{ option: 'options', expected: 'an object', got: describeKind(options) }]);
}

export function checkBreakerOptions<Options extends object>(options: Options): Options {
  throwIfAny(optionIssues(options));
  return ownOptions<object>(options, BREAKER_SPEC) as Options;
}

const actionIssues = (name: unknown, action: unknown): readonly ConfigIssue[] => [
  ...required(nonEmptyText(), 'a non-empty string')(name, 'name'),
  ...required(callable(), 'a function')(action, 'action'),
];

const optionIssues = (options: object): readonly ConfigIssue[] => [
  ...shape(BREAKER_SPEC)(options, ''),
  ...breakerContradictions(ownOptions<object>(options ?? {}, BREAKER_SPEC)),
];

function throwIfAny(issues: readonly ConfigIssue[]): void {
  if (issues.length > 0) throw new ConfigError('CircuitBreaker', issues);
}

/** Lists contradictions between options that are right one by one. */
export function breakerContradictions(options: CircuitBreakerOptions): ConfigIssue[] {
  const { windowMs, windowCalls, minimumCalls, slowCallRatio, slowCallDurationMs } = options;
  const { maxResetTimeoutMs, resetTimeoutMs = defaultsOf(BREAKER_SPEC).resetTimeoutMs } = options;
  const issues: ConfigIssue[] = [];
  const wrong = (option: string, expected: string, value: unknown) =>
    issues.push({ option, expected, got: describeValue(value) });
  if (windowMs !== undefined && windowCalls !== undefined) {
    wrong('windowCalls', 'nothing beside windowMs', windowCalls);
  }
  if (windowCalls !== undefined && minimumCalls !== undefined && minimumCalls > windowCalls) {
    wrong('minimumCalls', `at most windowCalls (${windowCalls})`, minimumCalls);
  }
  if (slowCallRatio !== undefined && slowCallDurationMs === undefined) {
    wrong('slowCallRatio', 'slowCallDurationMs beside it', slowCallRatio);
  }
  if (maxResetTimeoutMs !== undefined && maxResetTimeoutMs < resetTimeoutMs) {
    wrong('maxResetTimeoutMs', `at least resetTimeoutMs (${resetTimeoutMs})`, maxResetTimeoutMs);
  }
  return issues;
}

const DEFAULT_MINIMUM_CALLS = 10;

/** The options with every default in place; the fallback, which alone knows the arguments, stays with the breaker. */
export interface ResolvedOptions extends CircuitSettings, Judges {
  readonly slowCallDurationMs: number | undefined;
  readonly halfOpenTimeoutMs: number;
  readonly timeoutMs: number | undefined;
}

export function resolveOptions<Args extends unknown[], Result>(
  options: CircuitBreakerOptions<Args, Result>,
): ResolvedOptions {
  const settings = settingsOf(options as CircuitBreakerOptions, BREAKER_SPEC);
  const { windowCalls = Number.POSITIVE_INFINITY, maxResetTimeoutMs, timeoutMs, resetTimeoutMs } = settings;
  return {
    ...settings,
    minimumCalls: settings.minimumCalls ?? Math.min(DEFAULT_MINIMUM_CALLS, windowCalls),
    resetJitterRatio: settings.resetJitterRatio ?? (maxResetTimeoutMs === undefined ? 0 : GROWING_JITTER_RATIO),
    halfOpenTimeoutMs: settings.halfOpenTimeoutMs ?? timeoutMs ?? Math.max(resetTimeoutMs, SHORTEST_DEFAULT_PROBE_MS),
    clock: guardedClock(settings.clock),
  };
}

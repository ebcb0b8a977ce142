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
   * Each period of this length without a failure removes one failure from the run, so that one failure a day never adds
   * up. Milliseconds.
   * @defaultValue 600000
   */
  readonly failureDecayMs?: number | undefined;
  /**
   * Share of failures in the window from which on the breaker opens, from 1 to 100. Only a failure opens it.
   * @defaultValue 50
   */
  readonly errorThresholdPercentage?: number | undefined;
  /**
   * Least outcomes in the window for the share to count. At least 1.
   * @defaultValue 10, or `windowCalls` when that is less
   */
  readonly minimumCalls?: number | undefined;
  /**
   * Length of the window in milliseconds; calls enter it when they end. Not together with `windowCalls`.
   * @defaultValue 60000
   */
  readonly windowMs?: number | undefined;
  /** Counts the last outcomes up to this number, instead of a time. From 1 to 1000000. @defaultValue none */
  readonly windowCalls?: number | undefined;
  /** Length of a break in milliseconds, unless the error asks for another (`retryAfterMs`). @defaultValue 60000 */
  readonly resetTimeoutMs?: number | undefined;
  /**
   * Each further break is twice as long, up to this many milliseconds, until the breaker closes. At least
   * `resetTimeoutMs`.
   * @defaultValue none: every break has the same length
   */
  readonly maxResetTimeoutMs?: number | undefined;
  /**
   * Random share of a break, so that many processes do not probe at once. A break lasts (1 - ratio) to 1 times its
   * length.
   * @defaultValue 0.2 with `maxResetTimeoutMs`, else 0
   */
  readonly resetJitterRatio?: number | undefined;
  /** Milliseconds from which on a call counts as slow. @defaultValue none: no call is slow */
  readonly slowCallDurationMs?: number | undefined;
  /** Share of slow calls in the window that opens the breaker. Needs `slowCallDurationMs`. @defaultValue 0.5 */
  readonly slowCallRatio?: number | undefined;
  /** Probes that a half-open breaker lets through before it decides. At least 1. @defaultValue 1 */
  readonly halfOpenMaxCalls?: number | undefined;
  /** Share of these probes that must succeed (and not be slow) to close. @defaultValue 1 */
  readonly halfOpenSuccessRatio?: number | undefined;
  /**
   * Milliseconds after which a probe is aborted and counts as failed. A value below the time of healthy calls keeps the
   * breaker open for ever.
   * @defaultValue `timeoutMs`, else `resetTimeoutMs` but at least 60000
   */
  readonly halfOpenTimeoutMs?: number | undefined;
  /**
   * Milliseconds for which a call that finds all probes of a half-open breaker running waits for their outcome. Then it
   * is made, becomes a probe itself, or is refused. The wait counts towards `timeoutMs`, and ends at once when a signal
   * among the arguments aborts. At least 0.
   * @defaultValue 0: such a call is refused at once
   */
  readonly halfOpenMaxWaitMs?: number | undefined;
  /** Most calls that wait so; further ones are refused at once. At least 1. @defaultValue 100 */
  readonly halfOpenMaxWaiting?: number | undefined;
  /**
   * Milliseconds after which a call is aborted and rejects with `DESCRIBE_TIMEOUT`. That is always a failure.
   * @defaultValue none
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Tells whether a rejection is evidence against the other side, from the error and the arguments of the call. With
   * `false` it is neutral: neither success nor failure, and a probe is repeated. If it throws or returns a promise, the
   * rejection is a failure. It is not called for an `AbortError`, or for a call whose caller aborted a signal among the
   * arguments: these are neutral. It is not called for a timeout or for `AbortSignal.timeout` either: these are
   * failures.
   * @defaultValue all but throttles and the caller's own faults: HTTP 4xx other than 408 and 409, and their codes
   */
  readonly isFailure?: ((error: unknown, args: Readonly<Args>) => boolean) | undefined;
  /**
   * Tells whether a result is a failure although nothing was thrown, such as a 503 response. The caller still gets the
   * result.
   * @defaultValue no result is
   */
  readonly isFailureResult?: ((result: Result) => boolean) | undefined;
  /**
   * Tells whether a result that is no failure is neutral, such as a 429 or 404 response. The caller still gets the
   * result.
   * @defaultValue no result is
   */
  readonly isNeutralResult?: ((result: Result) => boolean) | undefined;
  /**
   * Gives the milliseconds that the failing side asked to wait, from the error that opens the breaker, or from the
   * result that `isFailureResult` called a failure. They are the length of the break: at most `maxResetTimeoutMs`, else
   * the longer of an hour and `resetTimeoutMs`. A number of 0 or less is ignored.
   * @defaultValue its own `retryAfterMs`, or `Retry-After` among its `headers` or those of its `response`
   */
  readonly retryAfterMs?: ((failure: unknown) => number | undefined) | undefined;
  /**
   * Answers in place of a failure, or of a rejection by the open breaker. Neutral errors pass unchanged. When the
   * fallback fails, the caller gets the first error.
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

/** Calls may take longer than a break. A probe that is cut short says nothing about the other side. */
const SHORTEST_DEFAULT_PROBE_MS = 60_000;

/** Jitter of a growing break. A break of fixed length has none unless `resetJitterRatio` is given. */
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
  halfOpenMaxWaitMs: withDefault(milliseconds({ min: 0 }), 0),
  halfOpenMaxWaiting: withDefault(integer({ min: 1 }), 100),
  timeoutMs: milliseconds(),
  isFailure: withDefault(callable(), defaultIsFailure),
  isFailureResult: callable(),
  isNeutralResult: callable(),
  retryAfterMs: withDefault(callable(), requestedRetryAfterMs),
  fallback: callable(),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<CircuitBreakerOptions>;

export function checkAction(name: unknown, action: unknown): void {
  throwIfAny(actionIssues(name, action));
}

/** Called before options are destructured. */
export function checkIsObject(options: unknown): void {
  if (typeof options === 'object' && options !== null) return;
  throwIfAny([{ option: 'options', expected: 'an object', got: describeKind(options) }]);
}

/** @throws `DESCRIBE_CONFIG_INVALID` that lists the `issues` found before and every wrong option. */
export function checkBreakerOptions<Options extends object>(
  options: Options,
  issues: readonly ConfigIssue[] = [],
): Options {
  throwIfAny([...issues, ...optionIssues(options)]);
  return ownOptions<object>(options, BREAKER_SPEC) as Options;
}

export const actionIssues = (name: unknown, action: unknown): readonly ConfigIssue[] => [
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

/** The options with every default. The fallback is left out: only the breaker knows the types of its arguments. */
export interface ResolvedOptions extends CircuitSettings, Judges {
  readonly slowCallDurationMs: number | undefined;
  readonly halfOpenTimeoutMs: number;
  readonly halfOpenMaxWaitMs: number;
  readonly halfOpenMaxWaiting: number;
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

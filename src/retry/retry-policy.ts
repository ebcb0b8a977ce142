import type { RetryGiveUpReason } from '../errors/call-explanation.ts';
import { DescribeError } from '../errors/describe-error.ts';
import { raceSignal, sleep, withTimeout } from '../internal/async/signals.ts';
import { answerNow, callSafely } from '../internal/async/user-callback.ts';
import type { Clock } from '../internal/clock.ts';
import { checkOptions } from '../internal/options/option-checks.ts';
import { type ClassRules, RunBackoff, rulesByClass } from './class-backoff.ts';
import { RetryBudget, type RetryBudgetStats } from './retry-budget.ts';
import {
  isRetryBudget,
  RETRY_SPEC,
  type RetryEvent,
  type RetryGiveUpEvent,
  type RetryOptions,
  type RetryQuestion,
  type RetrySettings,
} from './retry-options.ts';

/** Limits and listeners of one run. */
export interface RetryRunOptions {
  /** Ends the run at once, waits included, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The deadline, as a reading of the clock. The run does not wait for an attempt that could not end before it. */
  readonly deadlineAtMs?: number | undefined;
  /**
   * Retries of the same request in another form, made before this run. They count for `maxAttempts`.
   * @defaultValue 0
   */
  readonly retriesMade?: number | undefined;
  /** The same as the policy's `isPaced`, for this run. Either one suffices. */
  readonly isPaced?: ((error: unknown) => boolean) | undefined;
  /** Whether this failure is final, whatever the policy says. @defaultValue the policy decides */
  readonly isFinal?: ((error: unknown) => boolean) | undefined;
  /**
   * Milliseconds until the next attempt could start, where something else delays it. The run ends if too little time is
   * left after that.
   */
  readonly heldBackMs?: (() => number) | undefined;
  /** Notified of every retry of this run, after the policy's own `onRetry`. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /** Notified when this run ends after a failure, after the policy's own `onGiveUp`. */
  readonly onGiveUp?: ((event: RetryGiveUpEvent) => void) | undefined;
}

/** The context of one attempt. */
export interface AttemptContext {
  /** Number of this attempt, from 1. */
  readonly attempt: number;
}

/** A frozen, JSON-safe snapshot of a policy. */
export interface RetryStats {
  /** Retries since the start. */
  readonly retries: number;
  /** Runs that made no further attempt after a failure, by reason, since the start. */
  readonly gaveUp: Readonly<Record<RetryGiveUpReason, number>>;
  /** Shortest time of an attempt in milliseconds, given or learned; 0 while it is unknown. */
  readonly minAttemptMs: number;
  /** Absent with `budget: false`. */
  readonly budget?: RetryBudgetStats;
}

/** An attempt that failed. */
interface FailedAttempt {
  readonly error: unknown;
  /** Attempts made, those of other forms of the request too. */
  readonly attempt: number;
  readonly runStartedAtMs: number;
}

/** Stands for an answer of the user's that came too late. */
const LATE = Symbol('late');

/** The decision after a failure. */
type Verdict = { readonly delayMs: number } | { readonly giveUp: RetryGiveUpReason };

/**
 * Runs work until it succeeds, its error is final, or attempts, time or budget are used up. Then it rejects with the
 * last error, unwrapped. Waits by decorrelated jitter, and at least the error's `retryAfterMs`.
 */
export class RetryPolicy {
  readonly #settings: RetrySettings;
  readonly #rulesFor: (error: unknown) => ClassRules;
  readonly #budget: RetryBudget | undefined;
  /** Whether the budget goes by another clock than the policy. */
  readonly #budgetHasClock: boolean;
  readonly #fastest = new FastestAttempt();
  readonly #gaveUp: Record<RetryGiveUpReason, number> = { final: 0, attempts: 0, declined: 0, deadline: 0, budget: 0 };
  #retries = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: RetryOptions = {}) {
    this.#settings = checkOptions('RetryPolicy', options, RETRY_SPEC);
    this.#rulesFor = rulesByClass(this.#settings);
    const { budget, clock } = this.#settings;
    this.#budget = budgetOf(budget, clock);
    this.#budgetHasClock = isRetryBudget(budget) || (budget !== false && budget?.clock !== undefined);
  }

  /** @throws the last error of the work, unwrapped, or the signal's reason. */
  async run<Value>(work: (context: AttemptContext) => Promise<Value>, options: RetryRunOptions = {}): Promise<Value> {
    const { signal, retriesMade = 0, isPaced, onRetry, onGiveUp } = options;
    const { clock } = this.#settings;
    let backoff: RunBackoff | undefined;
    let runStartedAtMs: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const startedAtMs = clock.now();
      runStartedAtMs ??= startedAtMs;
      let error: unknown;
      try {
        const value = await work({ attempt });
        const nowMs = clock.now();
        if (attempt === 1) this.#budget?.recordCall(this.#budgetHasClock ? undefined : nowMs);
        this.#fastest.record(nowMs - startedAtMs, nowMs);
        return value;
      } catch (thrown) {
        if (signal?.aborted) throw signal.reason;
        error = thrown;
      }
      if (attempt === 1) this.#budget?.recordCall();
      backoff ??= new RunBackoff();
      const paced = [this.#settings.isPaced, isPaced].some((asked) => asked !== undefined && saysYes(asked, error));
      const asked = { error, attempt: attempt + retriesMade, runStartedAtMs };
      const judged = this.#judge(asked, paced ? undefined : backoff, options);
      const verdict = judged instanceof Promise ? await judged : judged;
      if ('giveUp' in verdict) {
        const reason = verdict.giveUp;
        this.#gaveUp[reason] += 1;
        tell({ attempts: attempt, error, reason }, this.#settings.onGiveUp, onGiveUp);
        throw error;
      }
      const { delayMs } = verdict;
      this.#retries += 1;
      tell({ attempt, error, delayMs }, this.#settings.onRetry, onRetry);
      if (delayMs > 0) await sleep(delayMs, { signal, clock });
    }
  }

  getStats(): RetryStats {
    return Object.freeze({
      retries: this.#retries,
      gaveUp: Object.freeze({ ...this.#gaveUp }),
      minAttemptMs: this.#leastMs(this.#settings.clock.now()),
      ...(this.#budget === undefined ? {} : { budget: this.#budget.getStats() }),
    });
  }

  /** Without a backoff the next attempt is not delayed. */
  #judge(failed: FailedAttempt, backoff: RunBackoff | undefined, options: RetryRunOptions): Verdict | Promise<Verdict> {
    const { error, attempt, runStartedAtMs } = failed;
    const { isRetryable = isMarkedRetryable, shouldRetry, clock, random } = this.#settings;
    if (options.isFinal?.(error) === true || !saysYes(isRetryable, error)) return { giveUp: 'final' };
    const rules = this.#rulesFor(error);
    if (attempt >= rules.maxAttempts) return { giveUp: 'attempts' };
    const nowMs = clock.now();
    const delayMs = backoff?.next(error, rules, random) ?? 0;
    if (!this.#hasTime(nowMs, delayMs, options)) return { giveUp: 'deadline' };
    if (shouldRetry === undefined) return this.#withdraw(delayMs);
    const question = { attempt, elapsedMs: nowMs - runStartedAtMs, delayMs, signal: options.signal };
    return this.#askUser(shouldRetry, error, question, options);
  }

  async #askUser(
    shouldRetry: NonNullable<RetryOptions['shouldRetry']>,
    error: unknown,
    question: RetryQuestion,
    options: RetryRunOptions,
  ): Promise<Verdict> {
    const { deadlineAtMs = Number.POSITIVE_INFINITY, signal } = options;
    const { clock } = this.#settings;
    const answer = (async () => await shouldRetry(error, question))().catch(() => false);
    const leftMs = deadlineAtMs - clock.now();
    const inTime = Number.isFinite(leftMs) ? withTimeout(answer, leftMs, () => LATE, clock) : answer;
    const allowed = await raceSignal(
      inTime.catch((late: unknown) => late),
      signal,
    );
    if (allowed === LATE || !this.#hasTime(clock.now(), question.delayMs, options)) return { giveUp: 'deadline' };
    return allowed === true ? this.#withdraw(question.delayMs) : { giveUp: 'declined' };
  }

  #hasTime(
    nowMs: number,
    delayMs: number,
    { deadlineAtMs = Number.POSITIVE_INFINITY, heldBackMs = () => 0 }: RetryRunOptions,
  ): boolean {
    return nowMs + Math.max(delayMs, heldBackMs()) + this.#leastMs(nowMs) < deadlineAtMs;
  }

  /** The budget is asked last, because a withdrawal is spent. */
  #withdraw(delayMs: number): Verdict {
    return this.#budget?.tryWithdraw() === false ? { giveUp: 'budget' } : { delayMs };
  }

  #leastMs(nowMs: number): number {
    return this.#settings.minAttemptMs ?? this.#fastest.leastMs(nowMs);
  }
}

function budgetOf(budget: RetryOptions['budget'], clock: Clock): RetryBudget | undefined {
  if (budget === false) return undefined;
  return isRetryBudget(budget) ? budget : new RetryBudget({ ...budget, clock: budget?.clock ?? clock });
}

const saysYes = (predicate: (error: unknown) => boolean, error: unknown): boolean =>
  answerNow(predicate, error, false) === true;

function tell<Event>(event: Event, ...listeners: (((event: Event) => void) | undefined)[]): void {
  for (const listener of listeners) if (listener !== undefined) callSafely(listener, event);
}

const isMarkedRetryable = (error: unknown) => DescribeError.is(error) && error.retryable;

/** A measured time is used for one to two times this long. */
const PERIOD_MS = 60_000;

/** The shortest time of a recent attempt. An attempt with less time left cannot succeed. */
class FastestAttempt {
  #periodEndsAtMs = Number.NEGATIVE_INFINITY;
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;

  record(durationMs: number, nowMs: number): void {
    if (nowMs >= this.#periodEndsAtMs) this.#turn(nowMs);
    if (durationMs < this.#current) this.#current = durationMs;
  }

  /** In milliseconds; 0 while it is unknown. */
  leastMs(nowMs: number): number {
    if (nowMs >= this.#periodEndsAtMs) this.#turn(nowMs);
    const least = Math.min(this.#current, this.#previous);
    return Number.isFinite(least) ? least : 0;
  }

  #turn(nowMs: number): void {
    this.#previous = nowMs < this.#periodEndsAtMs + PERIOD_MS ? this.#current : Number.POSITIVE_INFINITY;
    this.#current = Number.POSITIVE_INFINITY;
    this.#periodEndsAtMs = nowMs + PERIOD_MS;
  }
}

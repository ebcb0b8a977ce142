import type { Clock } from '../../internal/clock.ts';
import { abortSignal, throwInputIssues } from '../../internal/options/input-issues.ts';
import {
  callable,
  check,
  describeKind,
  finiteNumber,
  isObject,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  required,
  withMethods,
  wrongInput,
} from '../../internal/options/option-checks.ts';
import type { RateLimitSnapshot } from '../limits/rate-limit-snapshot.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import type { RoutePlace } from './endpoint.ts';

/** A call, as the router sees it. */
export interface RouteJob {
  readonly model: string;
  /** Estimated tokens that the call takes from the quota. */
  readonly tokens: number;
  /** Higher goes first; 0 is usual. */
  readonly priority: number;
  readonly signal: AbortSignal;
  /** When the call must have ended, on the router's clock. */
  readonly deadlineAtMs: number;
  /**
   * Names of endpoints that failed this call already. One of them is used only where no other can take the call within
   * a second, free slots aside.
   */
  readonly avoid?: ReadonlySet<string> | undefined;
  /** The answer so far. Once a part of it was delivered, the attempt is made nowhere else. @defaultValue none */
  readonly deltas?: { readonly hasBegun: boolean } | undefined;
}

/** The report of an answer. */
export type RouteAnswer = Pick<AttemptReport, 'limits' | 'chargedTokens' | 'outputTokens' | 'organization'>;

/** One attempt of a call at the endpoint that it was given to. */
export interface RouteLeg<Target> {
  readonly endpoint: string;
  /** The model to send. */
  readonly model: string;
  readonly target: Target;
  /** Milliseconds that the call waited for this attempt. */
  readonly queueMs: number;
  /**
   * From here on bytes may have left. A failure without it means that nothing was sent: the quota gets its tokens back,
   * and the call may move to another endpoint.
   */
  sent(): void;
  /** Takes `sent` back: no byte left, as where no connection was made. */
  unsent(): void;
  /** The API answered; call it before the attempt ends. */
  answered(report: RouteAnswer): void;
  /** The API refused for going too fast, or failed, and its headers said this. */
  limited(report: { readonly limits?: RateLimitSnapshot | undefined }): void;
}

/** Makes one attempt. It rejects with a `DescribeError`, or with anything else when the call itself ended. */
export type RouteAttempt<Target, Value> = (leg: RouteLeg<Target>) => Promise<Value>;

const JOB_CHECKS = {
  model: required(nonEmptyText(), 'the name of a model'),
  tokens: required(finiteNumber({ min: 0 }), 'a number of at least 0'),
  priority: required(finiteNumber(), 'a number, such as 0'),
  signal: required(abortSignal(), 'an AbortSignal'),
  deadlineAtMs: required(
    check(
      'a time on the clock of the router, or Infinity',
      (value) => typeof value === 'number' && !Number.isNaN(value),
    ),
    'a time on the clock of the router, or Infinity',
  ),
  avoid: withMethods('a Set of names of endpoints', 'has'),
  deltas: check('an object with hasBegun', isObject, describeKind),
} satisfies OptionChecks<RouteJob>;

const FIELDS: readonly (readonly [string, OptionCheck])[] = Object.entries(JOB_CHECKS);
const isFunction = required(callable(), 'a function');

/**
 * A job may have fields of the caller's own.
 * @throws `DESCRIBE_INPUT_INVALID` that lists everything wrong with a job, or names an attempt that is no function.
 */
export function checkJob(job: unknown, attempt: unknown): void {
  if (!isObject(job)) throw wrongInput('job', 'an object', job, describeKind);
  const issues = FIELDS.flatMap(([name, test]) => test((job as Record<string, unknown>)[name], `job.${name}`));
  throwInputIssues([...issues, ...isFunction(attempt, 'attempt')]);
}

const NO_ANSWER: RouteAnswer = {};

export interface ReportedValue<Value> extends AttemptReport {
  readonly value: Value;
}

/** Makes an attempt and puts its report together. An attempt that resolves was answered. */
export async function reportedAttempt<Target, Value>(
  attempt: RouteAttempt<Target, Value>,
  { endpoint, model, target, queueMs }: RoutePlace<Target>,
  clock: Clock,
): Promise<ReportedValue<Value>> {
  let sent = false;
  let sentAtMs: number | undefined;
  let answer: RouteAnswer | undefined;
  let answeredAtMs: number | undefined;
  let limits: RateLimitSnapshot | undefined;
  const answered = (given: RouteAnswer) => {
    if (answer !== undefined) return;
    answer = given;
    answeredAtMs = clock.now();
  };
  const report = <Result>(value: Result): ReportedValue<Result> => {
    const { chargedTokens, outputTokens, organization } = answer ?? NO_ANSWER;
    return {
      value,
      sent: sent || answer !== undefined,
      sentAtMs,
      answeredAtMs,
      limits: answer?.limits ?? limits,
      chargedTokens,
      outputTokens,
      organization,
    };
  };
  try {
    const value = await attempt({
      endpoint,
      model,
      target,
      queueMs,
      sent: () => {
        if (!sent) sentAtMs = clock.now();
        sent = true;
      },
      unsent: () => {
        sent = false;
      },
      answered,
      limited: (told) => {
        limits = told.limits ?? limits;
      },
    });
    answered(NO_ANSWER);
    return report(value);
  } catch (error) {
    throw new AttemptFailure(error, report(undefined));
  }
}

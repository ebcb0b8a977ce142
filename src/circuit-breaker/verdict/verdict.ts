import { answerNow } from '../../internal/async/user-callback.ts';
import { propertyOf } from '../../internal/property-of.ts';
import { isAbort, wordOfCaller } from './neutral-error.ts';

/** What an ended call says about the other side. */
export type Verdict = 'success' | 'failure' | 'neutral';

/**
 * Marks a rejection whose verdict is in already, so that nobody is asked: the name may be shared with callables of
 * another kind, whose functions came first. One for all copies of this package, as the registry is.
 */
export const VERDICT: unique symbol = Symbol.for('@describe-it/sdk/verdict');

/** The questions about results that a breaker asks its user. */
export interface ResultJudges {
  readonly isFailureResult: ((result: unknown) => boolean) | undefined;
  readonly isNeutralResult: ((result: unknown) => boolean) | undefined;
}

/** All questions that a breaker asks its user. */
export interface Judges extends ResultJudges {
  readonly isFailure: (error: unknown) => boolean;
}

/**
 * What a rejection says. Whoever gave the call up, `isFailure` is not asked: one that forgets aborts must not count
 * them.
 */
export function verdictOnError(error: unknown, args: readonly unknown[], { isFailure }: Judges): 'failure' | 'neutral' {
  const given = propertyOf(error, VERDICT);
  if (given === 'failure' || given === 'neutral') return given;
  const word = wordOfCaller(args);
  if (word === 'gave-up' || (word === undefined && isAbort(error))) return 'neutral';
  return answerNow(isFailure, error, true) ? 'failure' : 'neutral';
}

/** What a result says. */
export function verdictOnResult(result: unknown, { isFailureResult, isNeutralResult }: ResultJudges): Verdict {
  if (isFailureResult !== undefined && answerNow(isFailureResult, result, false)) return 'failure';
  return isNeutralResult !== undefined && answerNow(isNeutralResult, result, false) ? 'neutral' : 'success';
}

import { answerNow } from '../../internal/async/user-callback.ts';
import { propertyOf } from '../../internal/property-of.ts';
import { isAbort, wordOfCaller } from './neutral-error.ts';

/** The verdict of an ended call on the other side. */
export type Verdict = 'success' | 'failure' | 'neutral';

/**
 * Marks a rejection that has a verdict already. Callables of another kind may share the name, and then the callbacks of
 * the first one are used. All copies of this package share the mark, as they share the registry.
 */
export const VERDICT: unique symbol = Symbol.for('@describe-it/sdk/verdict');

/** The callbacks by which a user judges results. */
export interface ResultJudges {
  readonly isFailureResult: ((result: unknown) => boolean) | undefined;
  readonly isNeutralResult: ((result: unknown) => boolean) | undefined;
}

/** All callbacks by which a user judges outcomes. */
export interface Judges extends ResultJudges {
  readonly isFailure: (error: unknown, args: readonly unknown[]) => boolean;
}

/**
 * Judges a rejection. `isFailure` is not called for an abort: a function that does not consider aborts must not count
 * them.
 */
export function verdictOnError(error: unknown, args: readonly unknown[], { isFailure }: Judges): 'failure' | 'neutral' {
  const given = propertyOf(error, VERDICT);
  if (given === 'failure' || given === 'neutral') return given;
  const word = wordOfCaller(args);
  if (word === 'gave-up' || (word === undefined && isAbort(error))) return 'neutral';
  return answerNow((thrown) => isFailure(thrown, args), error, true) ? 'failure' : 'neutral';
}

/** Judges a result. */
export function verdictOnResult(result: unknown, { isFailureResult, isNeutralResult }: ResultJudges): Verdict {
  if (isFailureResult !== undefined && answerNow(isFailureResult, result, false)) return 'failure';
  return isNeutralResult !== undefined && answerNow(isNeutralResult, result, false) ? 'neutral' : 'success';
}

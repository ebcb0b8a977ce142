import type { DescribeError } from './describe-error.ts';

/** An answer that its output limit cut off. Its text is never empty. */
export interface CutAnswer {
  readonly description: string;
  /** The model that answered, as the API names it. */
  readonly model: string;
  readonly requestId?: string | undefined;
  /** The output limit of the call that it answers, in tokens. */
  readonly maxOutputTokens: number;
}

/** Beside the errors and not on them: no log and no JSON of an error shows a description. */
const cutAnswers = new WeakMap<DescribeError, CutAnswer>();

/** Keeps what the answer holds, for a caller that takes it in place of the error. */
export const keepCutAnswer = (error: DescribeError, answer: CutAnswer): void => {
  cutAnswers.set(error, answer);
};

/** The text of the answer behind an error; undefined where nothing was kept, as for every other failure. */
export const cutAnswerOf = (error: unknown): CutAnswer | undefined => cutAnswers.get(error as DescribeError);

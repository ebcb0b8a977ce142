/**
 * What a user's callback answers; `withoutAnswer` when it throws or promises one, for a verdict can't wait. A promise
 * that rejects is swallowed.
 */
export function ask<Value, Answer>(
  question: (value: Value) => Answer,
  value: Value,
  withoutAnswer: Answer,
): Answer {
  try {
    const answer = question(value);
    if (!isThenable(answer)) return answer;
    answer.then(undefined, () => {});
    return withoutAnswer;
  } catch {
    return withoutAnswer;
  }
}

const isThenable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';

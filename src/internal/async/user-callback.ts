/**
 * Calls a callback that must answer at once. Gives `withoutAnswer` when it throws, or when it returns a promise: the
 * work can't wait for one. What that promise rejects with is never left unhandled.
 */
export function answerNow<Value, Answer>(
  callback: (value: Value) => Answer,
  value: Value,
  withoutAnswer: Answer,
): Answer {
  try {
    const answer = callback(value);
    return ignoreRejection(answer) ? withoutAnswer : answer;
  } catch {
    return withoutAnswer;
  }
}

/** Calls a user's listener so that neither its throw nor its rejection reaches anyone. */
export function callSafely<Payload>(callback: (payload: Payload) => unknown, payload: Payload): void {
  try {
    ignoreRejection(callback(payload));
  } catch {
    // A listener's failure is the listener's own: the operation that told it has already settled.
  }
}

/**
 * Handles the rejection of a promise that nobody waits for, such as one given where a plain value was asked for.
 * Tells whether `value` is a promise.
 *
 * @throws what a getter of `then` throws.
 */
export function ignoreRejection(value: unknown): boolean {
  if (!isPromiseLike(value)) return false;
  value.then(undefined, () => {});
  return true;
}

/** @throws what a getter of `then` throws. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

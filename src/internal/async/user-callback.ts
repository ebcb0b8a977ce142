/**
 * Calls a callback that must be synchronous. Returns `withoutAnswer` when it throws or returns a promise. A rejection
 * of that promise is never unhandled.
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

/** Calls a user's listener. Neither its throw nor its rejection reaches the caller. */
export function callSafely<Payload>(callback: (payload: Payload) => unknown, payload: Payload): void {
  try {
    ignoreRejection(callback(payload));
  } catch {
    // The operation has settled before its listeners are notified.
  }
}

/**
 * Tells whether `value` is a promise, and if so ignores its rejection. It is for a promise in the place of a plain
 * value.
 *
 * @throws the error of a getter of `then`.
 */
export function ignoreRejection(value: unknown): boolean {
  if (!isPromiseLike(value)) return false;
  value.then(undefined, () => {});
  return true;
}

/** @throws the error of a getter of `then`. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

/** Calls `fn` and settles as it does. Before that it notifies `ended`, which must not throw, whether it failed. */
export function observed(fn: () => unknown, ended: (failed: boolean) => void): unknown {
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    ended(true);
    throw error;
  }
  if (!isPromiseLike(result)) {
    ended(false);
    return result;
  }
  return Promise.resolve(result).then(
    (value) => {
      ended(false);
      return value;
    },
    (error: unknown) => {
      ended(true);
      throw error;
    },
  );
}

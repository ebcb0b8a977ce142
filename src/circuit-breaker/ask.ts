/** What a user's callback answers; `whenItThrows` when it has no answer. */
export function ask<Value, Answer>(
  question: (value: Value) => Answer,
  value: Value,
  whenItThrows: Answer,
): Answer {
  try {
    return question(value);
  } catch {
    return whenItThrows;
  }
}

import { CircuitOpenError } from '../../errors/circuit-open-error.ts';

/**
 * Makes a `CircuitOpenError` without stack frames. They would not show the failure, and capturing them is most of the
 * cost of a rejection, which is the common case in an outage.
 */
export function openRejection(breaker: string, retryAfterMs: number | undefined, cause: unknown): CircuitOpenError {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    // `Error` is frozen here, so the error gets its stack frames.
    return new CircuitOpenError(breaker, retryAfterMs, { cause });
  }
  try {
    return new CircuitOpenError(breaker, retryAfterMs, { cause });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

import { CircuitOpenError } from '../../errors/circuit-open-error.ts';

/**
 * A `CircuitOpenError` without stack frames: it says nothing about where the failure is, and capturing frames is most
 * of what a rejection costs while an outage makes rejections the common case.
 */
export function openRejection(breaker: string, retryAfterMs: number | undefined, cause: unknown): CircuitOpenError {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    // Intrinsics are frozen: the error gets its frames.
    return new CircuitOpenError(breaker, retryAfterMs, { cause });
  }
  try {
    return new CircuitOpenError(breaker, retryAfterMs, { cause });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

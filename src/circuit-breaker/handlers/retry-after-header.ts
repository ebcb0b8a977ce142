import type { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';

/** The answer of a handler while its breaker is open. Without an error's message, which belongs in the log. */
export const UNAVAILABLE_BODY = '{"error":"service temporarily unavailable"}';

/**
 * Tells whether that very breaker turned the call away; another one's error, from within a handler, is a plain failure.
 */
export function isOpenRejection(error: unknown, breaker: string): error is CircuitOpenError {
  return DescribeError.is(error, 'DESCRIBE_CIRCUIT_OPEN') && (error as CircuitOpenError).breaker === breaker;
}

/**
 * Whole seconds, at least 1, as RFC 9110 (10.2.3) has it; undefined for an isolated breaker, which has no end in sight.
 */
export function retryAfterSeconds({ retryAfterMs }: CircuitOpenError): string | undefined {
  return retryAfterMs === undefined ? undefined : String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

import type { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';

/** The answer of a handler while its breaker is open. Without an error's message, which belongs in the log. */
export const UNAVAILABLE_BODY = '{"error":"service temporarily unavailable"}';

/**
 * Tells whether this very breaker rejected the call. The rejection of another one, from within a handler, is a plain
 * failure.
 */
export function isOpenRejection(error: unknown, breaker: string): error is CircuitOpenError {
  return DescribeError.is(error, 'DESCRIBE_CIRCUIT_OPEN') && (error as CircuitOpenError).breaker === breaker;
}

/** Whole seconds, at least 1 (RFC 9110, 10.2.3). Undefined for an isolated breaker, whose end is unknown. */
export function retryAfterSeconds({ retryAfterMs }: CircuitOpenError): string | undefined {
  return retryAfterMs === undefined ? undefined : String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

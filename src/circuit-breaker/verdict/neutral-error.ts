import { propertyOf } from '../../internal/property-of.ts';
import { isAbortedCall } from '../../internal/upstream/openai-error-shape.ts';

/**
 * Tells whether an error says that somebody gave up: an `AbortError`, or the one of the openai client. One that a
 * timeout caused says that the other side was too slow.
 */
export const isAbort = (error: unknown): boolean =>
  (propertyOf(error, 'name') === 'AbortError' || isAbortedCall(error)) && !isTimeout(propertyOf(error, 'cause'));

/**
 * What the caller says by a signal that is one of the arguments, or that one carries as `signal`: that it gave the call
 * up, or, with `AbortSignal.timeout`, that the other side was too slow. What the call then rejects with does not
 * matter, for clients wrap the signal's reason in errors of their own.
 */
export function wordOfCaller(args: readonly unknown[]): 'gave-up' | 'too-slow' | undefined {
  let word: 'too-slow' | undefined;
  for (const arg of args) {
    const signal = signalOf(arg);
    if (!signal?.aborted) continue;
    if (!isTimeout(signal.reason)) return 'gave-up';
    word = 'too-slow';
  }
  return word;
}

const isTimeout = (reason: unknown): boolean => propertyOf(reason, 'name') === 'TimeoutError';

function signalOf(arg: unknown): AbortSignal | undefined {
  if (typeof arg !== 'object' || arg === null) return undefined;
  try {
    if (arg instanceof AbortSignal) return arg;
    const { signal } = arg as { readonly signal?: unknown };
    return signal instanceof AbortSignal ? signal : undefined;
  } catch {
    return undefined;
  }
}

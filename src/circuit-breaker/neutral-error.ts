import { propertyOf } from './property-of.ts';

/**
 * Tells whether an error says that somebody gave up: an `AbortError`, or the one of the openai client (6 and 7), whose
 * name is a plain `Error`.
 */
export const isAbort = (error: unknown): boolean =>
  propertyOf(error, 'name') === 'AbortError' ||
  propertyOf(propertyOf(error, 'constructor'), 'name') === 'APIUserAbortError';

/**
 * Tells whether the caller gave the call up: one of the arguments is, or carries as `signal`, an aborted signal. What
 * the call then rejects with does not matter, for clients wrap the signal's reason in errors of their own. A signal of
 * `AbortSignal.timeout` is no giving up: its reason says that the other side was too slow.
 */
export function isGivenUp(args: readonly unknown[]): boolean {
  for (const arg of args) {
    const signal = signalOf(arg);
    if (signal?.aborted && propertyOf(signal.reason, 'name') !== 'TimeoutError') return true;
  }
  return false;
}

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

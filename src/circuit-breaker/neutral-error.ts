/** What is asked of foreign objects must never throw: they may be proxies, or have getters that do. */
function nameOf(error: unknown): unknown {
  try {
    return (error as { readonly name?: unknown } | null | undefined)?.name;
  } catch {
    return undefined;
  }
}

/** The default of `isFailure`: everything is a failure but an abort. */
export const isNoAbort = (error: unknown): boolean => nameOf(error) !== 'AbortError';

/**
 * Tells whether the caller gave the call up: one of the arguments is, or carries as `signal`, an aborted signal, and
 * the error is its reason or an AbortError. A signal of `AbortSignal.timeout` is no giving up: its reason says that the
 * other side was too slow.
 */
export function isCallersAbort(error: unknown, args: readonly unknown[]): boolean {
  for (const arg of args) {
    const signal = signalOf(arg);
    if (signal === undefined || !signal.aborted || nameOf(signal.reason) === 'TimeoutError') continue;
    if (signal.reason === error || !isNoAbort(error)) return true;
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

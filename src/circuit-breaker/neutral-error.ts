/** The default of `isFailure`: everything is a failure but an abort. */
export function isNoAbort(error: unknown): boolean {
  return !(typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError');
}

/**
 * Tells whether the caller gave the call up: one of the arguments is, or carries as `signal`, an aborted signal, and
 * the error is its reason or an AbortError.
 */
export function isCallersAbort(error: unknown, args: readonly unknown[]): boolean {
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null) continue;
    const signal = arg instanceof AbortSignal ? arg : signalOf(arg);
    if (signal?.aborted && (signal.reason === error || !isNoAbort(error))) return true;
  }
  return false;
}

function signalOf(holder: object): AbortSignal | undefined {
  try {
    const { signal } = holder as { readonly signal?: unknown };
    return signal instanceof AbortSignal ? signal : undefined;
  } catch {
    return undefined;
  }
}

import { propertyOf } from '../../internal/property-of.ts';
import { isAbortedCall } from '../../internal/upstream/openai-error-shape.ts';

/**
 * Tells whether an error is an abort: an `AbortError`, or that of the openai client. The error of a timeout is none:
 * the other side was too slow.
 */
export const isAbort = (error: unknown): boolean =>
  (propertyOf(error, 'name') === 'AbortError' || isAbortedCall(error)) && !isTimeout(propertyOf(error, 'cause'));

/**
 * Reads a signal that is an argument, or an argument's `signal`. Its abort means that the caller gave up, or, with
 * `AbortSignal.timeout`, that the other side was too slow. The error of the call is not asked: clients wrap the
 * signal's reason in errors of their own.
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

/** The signals of a call's caller: each argument that is one, and the `signal` of each that has one. */
export const signalsOf = (args: readonly unknown[]): readonly AbortSignal[] =>
  args.map(signalOf).filter((signal) => signal !== undefined);

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

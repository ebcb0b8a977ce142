import type { CallExplanation } from '../errors/call-explanation.ts';
import { DescribeError } from '../errors/describe-error.ts';

/**
 * The error that one caller gets, with the story of its own call. Several calls may fail by one error object (they shared
 * a request, or a group that was stopped): the first is given that object, each later one a copy. What is not ours stays
 * as it is: an abort rejects with the very reason that was given.
 */
export function explainError(
  error: unknown,
  explain: CallExplanation,
  signals: readonly (AbortSignal | undefined)[] = [],
): unknown {
  if (!DescribeError.is(error)) return error;
  if (signals.some((signal) => signal?.aborted && signal.reason === error)) return error;
  const own = Object.hasOwn(error, 'explain') || !Object.isExtensible(error) ? copyOf(error) : error;
  return Object.defineProperty(own, 'explain', { value: explain, configurable: true });
}

/** Runs what comes before a call: where it throws, the error has the story of a call that did not begin. */
export function explaining<Value>(trace: { explain(): CallExplanation }, run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    throw explainError(error, trace.explain());
  }
}

/** An error like the other in everything but `explain`; a real one, as `Error.isError` and debuggers want it. */
function copyOf(error: DescribeError): DescribeError {
  const copy: object = Object.setPrototypeOf(new Error(error.message), Object.getPrototypeOf(error));
  for (const name of Reflect.ownKeys(error)) {
    if (name === 'explain' || name === 'stack') continue;
    const property = Object.getOwnPropertyDescriptor(error, name);
    if (property !== undefined) Object.defineProperty(copy, name, property);
  }
  // Where the failure was, not where it was copied; read, for what is behind the property differs between engines.
  const stack = { value: error.stack, writable: true, configurable: true };
  return Object.defineProperty(copy, 'stack', stack) as DescribeError;
}

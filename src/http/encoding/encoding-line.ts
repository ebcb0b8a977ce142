import { raceSignal } from '../../internal/async/signals.ts';

const nothing = () => {};

let last: Promise<void> = Promise.resolve();

/**
 * Runs one large encoding of the process after the other. Were thirty to share the turns of the loop, the first would
 * be ready when all are, and the memory of all would be taken until then and freed at once, which stalls the loop.
 * @throws the signal's reason as soon as it aborts, and what `encode` throws.
 */
export function inEncodingLine<Result>(
  encode: () => Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const encoded = last.then(() => {
    signal?.throwIfAborted();
    return encode();
  });
  last = encoded.then(nothing, nothing);
  return raceSignal(encoded, signal);
}

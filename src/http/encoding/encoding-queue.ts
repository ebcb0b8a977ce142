import { raceSignal } from '../../internal/async/signals.ts';

const nothing = () => {};

let last: Promise<void> = Promise.resolve();

/**
 * Runs the large encodings of the process one after the other. If thirty of them shared the event loop, all would be
 * ready only at the end. Their memory would then be freed at once, which stalls the loop.
 * @throws the signal's reason as soon as it aborts, and the errors of `encode`.
 */
export function inEncodingQueue<Result>(
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

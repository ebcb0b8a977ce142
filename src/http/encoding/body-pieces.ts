import { loopSlices } from '../../internal/async/loop-slices.ts';

/** A body up to this size is written at once. */
export const BODY_AT_ONCE_BYTES = 512 * 1024;
/** Takes a tenth of a millisecond of encryption. */
const PIECE_BYTES = 256 * 1024;

/**
 * A large body in pieces, which are written one by one while the event loop runs in between. TLS encrypts at once all
 * that is written, and a fast peer takes one piece after the other.
 */
export async function* bodyPieces(body: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < body.byteLength; start += PIECE_BYTES) {
    if (loopSlices.isOver()) await loopSlices.next();
    yield body.subarray(start, start + PIECE_BYTES);
  }
}

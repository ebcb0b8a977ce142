import { loopSlices } from '../../internal/async/loop-slices.ts';

/** A body up to this size is written at once. */
export const BODY_AT_ONCE_BYTES = 512 * 1024;
/** A tenth of a millisecond of encryption. */
const PIECE_BYTES = 256 * 1024;

/**
 * A large body in pieces, to be written one after the other with the event loop running in between: TLS encrypts all
 * that is written at once, and a fast peer takes one piece after the other.
 */
export async function* bodyPieces(body: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < body.byteLength; start += PIECE_BYTES) {
    if (loopSlices.isOver()) await loopSlices.next();
    yield body.subarray(start, start + PIECE_BYTES);
  }
}

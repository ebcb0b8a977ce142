import { createHash, hash as hashAtOnce } from 'node:crypto';
import { loopSlices } from '../../internal/async/loop-slices.ts';

/** A tenth of a millisecond of work without hardware SHA. A smaller image is hashed at once. */
const PIECE_BYTES = 64 * 1024;

/** Hashes few bytes as `hashBytes` does, without a promise; `undefined` for more bytes. */
export const hashFewBytes = (bytes: Uint8Array): string | undefined =>
  bytes.length <= PIECE_BYTES ? hashAtOnce('sha256', bytes, 'hex') : undefined;

/** Hashes `bytes` by SHA-256, in hexadecimal. The event loop runs between pieces, so that 20 MB never block it. */
export async function hashBytes(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
  if (bytes.length <= PIECE_BYTES) return hashAtOnce('sha256', bytes, 'hex');
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    hash.update(bytes.subarray(offset, offset + PIECE_BYTES));
  }
  return hash.digest('hex');
}

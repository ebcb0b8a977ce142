import { createHash, hash as hashAtOnce } from 'node:crypto';
import { loopSlices } from '../../internal/async/loop-slices.ts';

/** A tenth of a millisecond without hardware SHA. */
const PIECE_BYTES = 64 * 1024;
/** Not worth a turn of the loop. */
const AT_ONCE_BYTES = 64 * 1024;

/** The same as `hashBytes` without a promise, for bytes that are few enough; undefined for more. */
export const hashFewBytes = (bytes: Uint8Array): string | undefined =>
  bytes.length <= AT_ONCE_BYTES ? hashAtOnce('sha256', bytes, 'hex') : undefined;

/** SHA-256 of `bytes` in hexadecimal; the event loop runs in between, so that 20 MB never stall it. */
export async function hashBytes(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
  if (bytes.length <= AT_ONCE_BYTES) return hashAtOnce('sha256', bytes, 'hex');
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    hash.update(bytes.subarray(offset, offset + PIECE_BYTES));
  }
  return hash.digest('hex');
}

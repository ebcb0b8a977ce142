import { createHash } from 'node:crypto';
import { loopSlices } from './async/loop-slices.ts';

const PIECE_CHARACTERS = 32 * 1024;

/**
 * Hashes a text of any length by SHA-256, in hexadecimal. It works in slices of time, so that 20 MB never block the
 * thread. It hashes UTF-16 units: UTF-8 would give texts that differ only in lone surrogates one hash.
 *
 * @throws the signal's reason when it aborts.
 */
export async function hashText(text: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (let start = 0; start < text.length; start += PIECE_CHARACTERS) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    hash.update(text.slice(start, start + PIECE_CHARACTERS), 'utf16le');
  }
  return hash.digest('hex');
}

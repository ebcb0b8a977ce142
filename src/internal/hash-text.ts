import { createHash } from 'node:crypto';
import { loopSlices } from './async/loop-slices.ts';

const PIECE_CHARACTERS = 32 * 1024;

/**
 * SHA-256 of a text of any length in hexadecimal, in slices of time, so that 20 MB never hold the thread. Of its UTF-16
 * units: texts that differ only in lone surrogates, which UTF-8 makes one, have different hashes.
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

import { nextTurn } from './loop-share.ts';

export interface EncodeOptions {
  /** Ends the work between two pieces. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of a piece: a multiple of three, so that pieces join without padding, and well below a millisecond of work. */
const PIECE_BYTES = 3 * 128 * 1024;

/**
 * The base64 of `bytes`, made in pieces, so that the event loop is never blocked for long however large they are.
 * @throws the signal's reason when it aborts.
 */
export async function encodeBase64(bytes: Uint8Array, { signal }: EncodeOptions = {}): Promise<string> {
  signal?.throwIfAborted();
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (source.length <= PIECE_BYTES) return source.toString('base64');
  const target = Buffer.allocUnsafe(base64Length(source.length));
  await writeBase64(source, target, 0, signal);
  // One flat string: pieces glued with + would be flattened by its first reader, at once.
  return target.toString('latin1');
}

/** Characters of the base64 of so many bytes. */
export const base64Length = (byteLength: number): number => Math.ceil(byteLength / 3) * 4;

/** Writes the base64 of `source` into `target` in pieces and returns the offset behind it. */
export async function writeBase64(
  source: Buffer,
  target: Buffer,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let end = offset;
  for (let start = 0; start < source.length; start += PIECE_BYTES) {
    if (start > 0) await nextTurn();
    signal?.throwIfAborted();
    end += target.write(source.toString('base64', start, start + PIECE_BYTES), end, 'latin1');
  }
  return end;
}

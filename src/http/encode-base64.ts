import { yieldToLoop } from '../internal/yield-to-loop.ts';

export interface EncodeOptions {
  /** Ends the work between two pieces. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of a piece: a multiple of three, so that pieces join without padding, and well below a millisecond of work. */
const PIECE_BYTES = 3 * 128 * 1024;
/** Not worth a turn of the loop. */
const AT_ONCE_BYTES = 64 * 1024;

/**
 * The base64 of `bytes`, made in pieces, so that the event loop is never blocked for long however large they are.
 * @throws the signal's reason when it aborts.
 */
export function encodeBase64(bytes: Uint8Array, options: EncodeOptions = {}): Promise<string> {
  return append('', bytes, options);
}

/**
 * The data URL of `bytes`, made in pieces, so that the event loop is never blocked for long however large they are.
 * @throws the signal's reason when it aborts.
 */
export function encodeDataUrl(
  bytes: Uint8Array,
  mediaType: string,
  options: EncodeOptions = {},
): Promise<string> {
  return append(`data:${mediaType};base64,`, bytes, options);
}

async function append(head: string, bytes: Uint8Array, { signal }: EncodeOptions): Promise<string> {
  signal?.throwIfAborted();
  const source = asBuffer(bytes);
  let text = head;
  for (let start = 0; start < source.length; start += PIECE_BYTES) {
    if (source.length > AT_ONCE_BYTES) await yieldToLoop();
    signal?.throwIfAborted();
    // The engine joins pieces when the text is first read, not here: joining 27 MB at once would stall the loop.
    text += source.toString('base64', start, start + PIECE_BYTES);
  }
  return text;
}

/** Characters of the base64 of so many bytes. */
export const base64Length = (byteLength: number): number => Math.ceil(byteLength / 3) * 4;

/** Writes the base64 of `bytes` into `target` in pieces and returns the offset behind it. */
export async function writeBase64(
  bytes: Uint8Array,
  target: Buffer,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const source = asBuffer(bytes);
  let end = offset;
  for (let start = 0; start < source.length; start += PIECE_BYTES) {
    await yieldToLoop();
    signal?.throwIfAborted();
    end += target.write(source.toString('base64', start, start + PIECE_BYTES), end, 'latin1');
  }
  return end;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

import { loopSlices } from '../../internal/async/loop-slices.ts';
import { inEncodingQueue } from './encoding-queue.ts';

export interface EncodeOptions {
  /** Ends the work between two pieces. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Bytes of a piece of a string: a multiple of three, so that pieces join without padding, and below a millisecond of
 * work. Its base64 has over 1,031,913 characters, from which on Node keeps a string outside of V8's heap. Collecting
 * many smaller strings takes tens of milliseconds.
 */
const STRING_PIECE_BYTES = 3 * 256 * 1024;
/** Bytes of a piece of a short-lived string: small enough to cost the young generation nothing. */
const PASSING_PIECE_BYTES = 3 * 8 * 1024;
/** Fewer bytes are not worth a turn of the event loop. */
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
export function encodeDataUrl(bytes: Uint8Array, mediaType: string, options: EncodeOptions = {}): Promise<string> {
  return append(`data:${mediaType};base64,`, bytes, options);
}

async function append(head: string, bytes: Uint8Array, { signal }: EncodeOptions): Promise<string> {
  signal?.throwIfAborted();
  const source = asBuffer(bytes);
  if (source.length <= AT_ONCE_BYTES) return head + source.toString('base64');
  return inEncodingQueue(() => appendPieces(head, source, signal), signal);
}

async function appendPieces(head: string, source: Buffer, signal: AbortSignal | undefined): Promise<string> {
  let text = head;
  for (let start = 0; start < source.length; start += STRING_PIECE_BYTES) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    // The engine joins pieces when the text is first read, not here: joining 27 MB at once would stall the loop.
    text += source.toString('base64', start, start + STRING_PIECE_BYTES);
  }
  return text;
}

/** Writes the base64 of `bytes` into `target` in pieces, and returns the offset after it. */
export async function writeBase64(
  bytes: Uint8Array,
  target: Buffer,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const source = asBuffer(bytes);
  let end = offset;
  for (let start = 0; start < source.length; start += PASSING_PIECE_BYTES) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    end += target.write(source.toString('base64', start, start + PASSING_PIECE_BYTES), end, 'latin1');
  }
  return end;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

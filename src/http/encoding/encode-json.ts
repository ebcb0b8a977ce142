import { randomUUID } from 'node:crypto';
import { loopSlices } from '../../internal/async/loop-slices.ts';
import { base64Length, type EncodeOptions, writeBase64 } from './encode-base64.ts';
import { inEncodingLine } from './encoding-line.ts';

/** Bytes that stand in a JSON value for the data URL of their base64, which `encodeJson` writes right into the body. */
export class InlineBytes {
  readonly bytes: Uint8Array;
  readonly mediaType: string;

  constructor(bytes: Uint8Array, mediaType: string) {
    this.bytes = bytes;
    this.mediaType = mediaType;
  }
}

/** Strings up to this length are left to `JSON.stringify`: a prompt is, and an image never. */
const LONG_STRING = 4 * 1024;
/** Far below a millisecond of work, also where each character has to be escaped. */
const PIECE_CHARACTERS = 16 * 1024;
/** Not worth waiting for larger ones. */
const SMALL_BODY_BYTES = 256 * 1024;
/** Not worth a turn of the loop. */
const AT_ONCE_BYTES = 64 * 1024;

/** Stands for a long string while the rest is encoded; it never leaves this file, so that no text can hold it. */
const MARK = randomUUID();

/** What JSON writes as it is: printable ASCII but quote and backslash. Base64 and URLs are made of it. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A stretch of the body: bytes, plain text, or bytes to be written as a data URL. */
type Part = Buffer | string | InlineBytes;

/**
 * The JSON of `value` as bytes, the same that `JSON.stringify` gives, made in pieces, so that the event loop is never
 * blocked for long however long its strings are. Encode once and send as often as needed.
 * @throws `TypeError` for a value that JSON can't hold, and the signal's reason when it aborts.
 */
export async function encodeJson(value: unknown, { signal }: EncodeOptions = {}): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const long: (string | InlineBytes)[] = [];
  const skeleton = JSON.stringify(value, (_key, entry: unknown) => {
    const isLong = typeof entry === 'string' ? entry.length > LONG_STRING : entry instanceof InlineBytes;
    if (!isLong) return entry;
    long.push(entry as string | InlineBytes);
    return MARK;
  });
  if (skeleton === undefined) throw new TypeError('the value is not JSON');
  if (long.length === 0) return Buffer.from(skeleton);
  const parts: Part[] = [];
  for (const [index, text] of skeleton.split(`"${MARK}"`).entries()) {
    if (index > 0) await pushLong(parts, long[index - 1] as string | InlineBytes, signal);
    parts.push(Buffer.from(text));
  }
  const length = parts.reduce((sum, part) => sum + lengthOf(part), 0);
  if (length <= AT_ONCE_BYTES) return joinAtOnce(parts, length);
  if (length <= SMALL_BODY_BYTES) return join(parts, length, signal);
  return inEncodingLine(() => join(parts, length, signal), signal);
}

async function pushLong(parts: Part[], entry: string | InlineBytes, signal: AbortSignal | undefined): Promise<void> {
  if (entry instanceof InlineBytes) {
    parts.push(Buffer.from(`"data:${entry.mediaType};base64,`), entry, Buffer.from('"'));
    return;
  }
  parts.push(Buffer.from('"'));
  for (let start = 0; start < entry.length; ) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    const end = pieceEnd(entry, start + PIECE_CHARACTERS);
    const piece = entry.slice(start, end);
    parts.push(PLAIN.test(piece) ? piece : Buffer.from(JSON.stringify(piece).slice(1, -1)));
    start = end;
  }
  parts.push(Buffer.from('"'));
}

/** Never between the two halves of a surrogate pair, which JSON would escape when they stand alone. */
function pieceEnd(text: string, end: number): number {
  if (end >= text.length) return text.length;
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end + 1 : end;
}

async function join(parts: readonly Part[], length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const target = Buffer.allocUnsafe(length);
  let offset = 0;
  for (const part of parts) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    if (part instanceof InlineBytes) {
      offset = await writeBase64(part.bytes, target, offset, signal);
      continue;
    }
    offset += typeof part === 'string' ? target.write(part, offset, 'latin1') : part.copy(target, offset);
  }
  // Else it holds memory that was not written, which would be sent: whatever the process had there before.
  if (offset !== length) throw new TypeError('bytes were resized or transferred while they were encoded');
  return target;
}

function joinAtOnce(parts: readonly Part[], length: number): Uint8Array {
  const target = Buffer.allocUnsafe(length);
  let offset = 0;
  for (const part of parts) {
    if (part instanceof InlineBytes) {
      const { buffer, byteOffset, byteLength } = part.bytes;
      const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
      offset += target.write(base64, offset, 'latin1');
    } else {
      offset += typeof part === 'string' ? target.write(part, offset, 'latin1') : part.copy(target, offset);
    }
  }
  return target;
}

const lengthOf = (part: Part): number =>
  part instanceof InlineBytes ? base64Length(part.bytes.byteLength) : part.length;

import { loopSlices } from '../../internal/async/loop-slices.ts';
import { crypto } from '../../internal/modules/node-modules.ts';
import { type EncodeOptions, writeBase64 } from './encode-base64.ts';
import { inEncodingQueue } from './encoding-queue.ts';

/** Bytes in a JSON value that stand for the data URL of their base64. `encodeJson` writes it right into the body. */
export class InlineBytes {
  readonly bytes: Uint8Array;
  readonly mediaType: string;

  constructor(bytes: Uint8Array, mediaType: string) {
    this.bytes = bytes;
    this.mediaType = mediaType;
  }
}

/** Strings up to this length are left to `JSON.stringify`: a prompt is shorter, and an image never. */
const LONG_STRING = 4 * 1024;
/** Far below a millisecond of work, even if each character has to be escaped. */
const PIECE_CHARACTERS = 16 * 1024;
/** A smaller body does not wait in the queue for larger ones. */
const SMALL_BODY_BYTES = 256 * 1024;
/** Fewer bytes are not worth a turn of the event loop. */
const AT_ONCE_BYTES = 64 * 1024;

/** Stands for a long string while the rest is encoded. It never leaves this file, so that no text can hold it. */
let mark: string | undefined;

/** Text that JSON writes as it is: printable ASCII without quote and backslash. Base64 and URLs consist of it. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A stretch of the body: bytes, plain text, or bytes to be written as base64. */
type Part = Buffer | string | InlineBytes;

/**
 * The JSON of `value` as bytes, equal to the text of `JSON.stringify`. It is made in pieces, so that long strings never
 * block the event loop. Encode once and send as often as needed.
 * @throws `TypeError` for a value that JSON can't hold, and the signal's reason when it aborts.
 */
export async function encodeJson(value: unknown, { signal }: EncodeOptions = {}): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const long: (string | InlineBytes)[] = [];
  const skeleton = JSON.stringify(value, mayHoldLong(value) ? replacer(long) : undefined);
  if (skeleton === undefined) throw new TypeError('the value is not JSON');
  if (long.length === 0) return Buffer.from(skeleton);
  const parts: Part[] = [];
  for (const [index, text] of skeleton.split(`"${mark}"`).entries()) {
    const entry = long[index - 1];
    if (entry instanceof InlineBytes) parts.push(`"data:${entry.mediaType};base64,`, entry, '"');
    else if (entry !== undefined) await pushLong(parts, entry, signal);
    parts.push(Buffer.from(text));
  }
  let length = 0;
  for (const part of parts) {
    length += part instanceof InlineBytes ? Math.ceil(part.bytes.byteLength / 3) * 4 : part.length;
  }
  const join = () => joinParts(parts, length, signal);
  return length <= SMALL_BODY_BYTES ? join() : inEncodingQueue(join, signal);
}

/** Larger values are left to the replacer. So are circular ones, which `JSON.stringify` refuses. */
const MAX_ENTRIES = 10_000;

/** A replacer doubles the time of `JSON.stringify`: it runs only where it may find something. */
function mayHoldLong(value: unknown): boolean {
  const entries = [value];
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index];
    if (typeof entry === 'string') {
      if (entry.length > LONG_STRING) return true;
    } else if (Array.isArray(entry)) {
      for (const element of entry) entries.push(element);
    } else if (typeof entry === 'object' && entry !== null) {
      // An instance of a class may be an `InlineBytes`, or hold one in its own form of JSON.
      if (Object.getPrototypeOf(entry) !== Object.prototype || entries.length > MAX_ENTRIES) return true;
      for (const key of Object.keys(entry)) entries.push((entry as Readonly<Record<string, unknown>>)[key]);
    } else if (typeof entry === 'function') {
      return true;
    }
  }
  return false;
}

/** Replaces long strings and large bytes by a mark, and collects them. */
function replacer(long: (string | InlineBytes)[]) {
  let atOnceBytes = 0;
  return (_key: string, entry: unknown): unknown => {
    if (typeof entry === 'string' ? entry.length <= LONG_STRING : !(entry instanceof InlineBytes)) return entry;
    if (entry instanceof InlineBytes && atOnceBytes + entry.bytes.byteLength <= AT_ONCE_BYTES) {
      atOnceBytes += entry.bytes.byteLength;
      const { buffer, byteOffset, byteLength } = entry.bytes;
      return `data:${entry.mediaType};base64,${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}`;
    }
    long.push(entry as string | InlineBytes);
    mark ??= crypto().randomUUID();
    return mark;
  };
}

async function pushLong(parts: Part[], text: string, signal: AbortSignal | undefined): Promise<void> {
  parts.push('"');
  for (let start = 0; start < text.length; ) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    const end = pieceEnd(text, start + PIECE_CHARACTERS);
    const piece = text.slice(start, end);
    parts.push(PLAIN.test(piece) ? piece : Buffer.from(JSON.stringify(piece).slice(1, -1)));
    start = end;
  }
  parts.push('"');
}

/** Never between the two halves of a surrogate pair, which JSON would escape when they stand alone. */
function pieceEnd(text: string, end: number): number {
  if (end >= text.length) return text.length;
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end + 1 : end;
}

async function joinParts(parts: readonly Part[], length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const target = Buffer.allocUnsafe(length);
  let offset = 0;
  for (const part of parts) {
    if (loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    if (part instanceof InlineBytes) offset = await writeBase64(part.bytes, target, offset, signal);
    else offset += typeof part === 'string' ? target.write(part, offset, 'latin1') : part.copy(target, offset);
  }
  // The rest of the memory would be sent as it is, with old data of the process.
  if (offset !== length) throw new TypeError('bytes were resized or transferred while they were encoded');
  return target;
}

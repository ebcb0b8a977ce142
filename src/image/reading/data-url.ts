import { InputError } from '../../errors/index.ts';
import { encodeDataUrl } from '../../http/encoding/encode-base64.ts';
import { loopSlices } from '../../internal/async/loop-slices.ts';
import { tooLarge } from '../formats/image-errors.ts';

/** Bytes that are encoded without a turn of the loop. */
const AT_ONCE_BYTES = 64 * 1024;
/** A multiple of four characters. It takes far below a millisecond, even if every character is escaped. */
const DECODE_PIECE_CHARS = 4 * 1024;

/**
 * Makes a base64 data URL of `bytes`. The event loop runs between pieces, so that 20 MB never block it.
 *
 * @throws the signal's reason when it aborts.
 * @example
 * ```ts
 * import { loadImage, toDataUrl } from '@describe-it/sdk/image';
 *
 * const image = await loadImage({ file: 'cat.jpg' });
 * const url = image.kind === 'url' ? image.url : await toDataUrl(image.bytes, image.mediaType);
 * ```
 */
export function toDataUrl(bytes: Uint8Array, mediaType: string, signal?: AbortSignal): Promise<string> {
  return encodeDataUrl(bytes, mediaType, { signal });
}

/** Tells a data URL from other text, without parsing it. */
export const isDataUrl = (text: string): boolean => /^\s*data:/i.test(text.slice(0, 64));

export interface DataUrlLimits {
  readonly maxBytes: number;
  readonly field: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes the bytes of a data URL (RFC 2397), base64 or percent-encoded, in pieces. Its media type is ignored.
 *
 * @throws `DESCRIBE_INPUT_INVALID` when it is malformed.
 * @throws `DESCRIBE_IMAGE_TOO_LARGE` when its bytes would pass `maxBytes`, before they are decoded.
 */
export async function readDataUrl(text: string, limits: DataUrlLimits): Promise<Uint8Array> {
  const { maxBytes, field } = limits;
  const comma = text.indexOf(',');
  // A media type with its parameters is short. Without a bound, a missing comma would cost a scan of the whole text.
  if (comma === -1 || comma > MAX_HEAD_CHARS) throw wrongDataUrl(field, 'one without a comma after its media type');
  const isBase64 = /;\s*base64\s*$/i.test(text.slice(0, comma));
  if (!isBase64 && BASE64_START.test(text.slice(comma + 1, comma + 16))) {
    throw wrongDataUrl(field, 'base64 without `;base64` before the comma');
  }
  const chars = text.length - comma - 1;
  const leastBytes = isBase64 ? Math.floor((chars * 3) / 4) - 2 : Math.floor(chars / 3);
  if (leastBytes > maxBytes && !(isBase64 && hasEscapes(text, comma))) throw tooLarge(field, maxBytes);
  const decoded = isBase64 ? await decodeBase64(text, comma + 1, limits) : await decodePercent(text, comma + 1, limits);
  if (decoded.length > maxBytes) throw tooLarge(field, maxBytes);
  return decoded;
}

const MAX_HEAD_CHARS = 1_024;

/** First characters of PNG, JPEG, GIF and WebP in base64. */
const BASE64_START = /^(?:iVBORw0KGg|\/9j\/|R0lGOD|UklGR)/;

const wrongDataUrl = (field: string, got: string): InputError =>
  new InputError(
    field,
    `must be a data URL of an image, such as data:image/png;base64,…; got ${got}. Or pass the bytes as \`{ image }\`.`,
  );

/** Spaces and percent escapes make a text longer than its bytes. A sample shows by how much. */
const hasEscapes = (text: string, comma: number) => /[\s%]/.test(text.slice(comma + 1, comma + 2_048));

async function decodeBase64(
  text: string,
  start: number,
  { maxBytes, field, signal }: DataUrlLimits,
): Promise<Uint8Array> {
  const target = Buffer.allocUnsafeSlow(Math.min(maxBytes + 3, Math.ceil(((text.length - start) * 3) / 4)));
  let written = 0;
  let carry = '';
  let ended = false;
  for (let offset = start; offset < text.length; offset += DECODE_PIECE_CHARS) {
    if (text.length > AT_ONCE_BYTES && loopSlices.isOver()) await loopSlices.next();
    signal?.throwIfAborted();
    const last = offset + DECODE_PIECE_CHARS >= text.length;
    const piece = unescapeBase64(carry + text.slice(offset, offset + DECODE_PIECE_CHARS));
    // A group of four, or an escape, that is cut is left for the next piece.
    const cut = /%.?$/.exec(piece)?.index ?? piece.length;
    const end = last ? piece.length : cut - (cut % 4);
    const ready = piece.slice(0, end);
    carry = piece.slice(end);
    if (ready === '') continue;
    if (ended || !BASE64.test(ready)) throw wrongDataUrl(field, 'one whose base64 is not valid');
    ended = ready.endsWith('=');
    if (written + Math.floor((ready.length * 3) / 4) - 2 > maxBytes) throw tooLarge(field, maxBytes);
    written += target.write(ready, written, 'base64');
  }
  return target.subarray(0, written);
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Base64 in practice has line breaks, and percent-encoded `+`, `/` and `=`. */
const unescapeBase64 = (piece: string) =>
  /[\s%]/.test(piece)
    ? piece.replace(/\s+/g, '').replace(/%2B/gi, '+').replace(/%2F/gi, '/').replace(/%3D/gi, '=')
    : piece;

const PERCENT = 0x25;

/** The byte of `%xx`; NaN where no two hexadecimal digits follow. */
const byteOfEscape = (text: string, offset: number): number =>
  hexDigit(text.charCodeAt(offset + 1)) * 16 + hexDigit(text.charCodeAt(offset + 2));

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

async function decodePercent(
  text: string,
  start: number,
  { maxBytes, field, signal }: DataUrlLimits,
): Promise<Uint8Array> {
  const target = Buffer.allocUnsafe(Math.min(maxBytes + 1, text.length - start));
  let written = 0;
  let pieceEnd = start + DECODE_PIECE_CHARS;
  for (let offset = start; offset < text.length && written <= maxBytes; offset += 1) {
    if (offset >= pieceEnd) {
      pieceEnd = offset + DECODE_PIECE_CHARS;
      if (loopSlices.isOver()) await loopSlices.next();
      signal?.throwIfAborted();
    }
    const code = text.charCodeAt(offset);
    const escaped = code === PERCENT ? byteOfEscape(text, offset) : Number.NaN;
    if (code > 0x7f || (code === PERCENT && Number.isNaN(escaped)))
      throw wrongDataUrl(field, 'one that is neither base64 nor percent-encoded');
    target[written] = Number.isNaN(escaped) ? code : escaped;
    written += 1;
    if (!Number.isNaN(escaped)) offset += 2;
  }
  return target.subarray(0, written);
}

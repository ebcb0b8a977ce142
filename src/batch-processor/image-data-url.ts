import { ImageError } from '../errors/image-error.ts';

/** Tests on the first bytes, as Latin-1 text, for what the API takes. */
const FORMATS: readonly (readonly [string, (head: string) => boolean])[] = [
  ['image/png', (head) => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/jpeg', (head) => head.startsWith('\xff\xd8\xff')],
  ['image/gif', (head) => head.startsWith('GIF87a') || head.startsWith('GIF89a')],
  ['image/webp', (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8)],
];

/** A multiple of three bytes, so that pieces join without padding; a piece takes about a millisecond. */
const PIECE_BYTES = 3 * 256 * 1024;

/**
 * Media type of an image by its first bytes.
 * @throws `DESCRIBE_IMAGE_UNSUPPORTED` when it is none that the API takes.
 */
export function mediaTypeOf(bytes: Uint8Array): string {
  const head = asBuffer(bytes).toString('latin1', 0, 16);
  const found = FORMATS.find(([, matches]) => matches(head));
  if (found !== undefined) return found[0];
  throw new ImageError('DESCRIBE_IMAGE_UNSUPPORTED', 'the image is not a PNG, JPEG, WEBP or GIF');
}

/** Characters of the data URL of so many bytes. */
export const dataUrlLength = (byteLength: number): number => 24 + Math.ceil(byteLength / 3) * 4;

/** The data URL of an image, made in pieces with the event loop running in between. */
export async function imageDataUrl(bytes: Uint8Array, signal: AbortSignal): Promise<string> {
  const source = asBuffer(bytes);
  const pieces = [`data:${mediaTypeOf(bytes)};base64,`];
  for (let start = 0; start < source.length; start += PIECE_BYTES) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    pieces.push(source.toString('base64', start, start + PIECE_BYTES));
  }
  return pieces.join('');
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

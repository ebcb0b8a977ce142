import { createHash } from 'node:crypto';
import { readGif } from './image-gif.ts';
import { readJpeg } from './image-jpeg.ts';
import { ImageProblem } from './image-problem.ts';
import type { ImageSize } from './image-size.ts';

/** The facts that the fake server reads from an image's bytes. */
export interface ImageFacts {
  readonly format: 'PNG' | 'JPEG' | 'WEBP' | 'GIF';
  readonly width: number;
  readonly height: number;
  /** The first 12 hexadecimal digits of the SHA-256 of the bytes: how stats and fault rules name an image. */
  readonly hash: string;
  /** The description: `PNG 512×512 sha256:0123456789ab`. */
  readonly text: string;
}

/**
 * The exact text with which the fake server describes an image, such as `PNG 512×512 sha256:0123456789ab`, so that a
 * test can tell which image got which description.
 *
 * @throws an Error for bytes that are not a whole PNG, JPEG, WEBP or non-animated GIF
 *
 * @example
 * ```ts
 * import { createTestImage, describeImageFacts } from '@describe-it/sdk/testing';
 *
 * const image = createTestImage({ seed: 7, width: 32, height: 16 });
 * console.log(describeImageFacts(image)); // PNG 32×16 sha256:…
 * ```
 */
export function describeImageFacts(bytes: Uint8Array): string {
  return readImageFacts(bytes).text;
}

/**
 * Reads format and size of an image from its headers, and checks that the file is complete. Decodes no pixel. Stats and
 * fault rules name the image by `hash`.
 *
 * @throws an Error with the API's `code` for bytes that are not a whole PNG, JPEG, WEBP or non-animated GIF
 */
export function readImageFacts(bytes: Uint8Array): ImageFacts {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length === 0) throw new ImageProblem('empty_image_file');
  const { format, width, height } = sniff(file);
  if (width === 0 || height === 0) throw new ImageProblem('image_too_small');
  const hash = createHash('sha256').update(file).digest('hex').slice(0, 12);
  return { format, width, height, hash, text: `${format} ${width}×${height} sha256:${hash}` };
}

function sniff(file: Buffer): ImageSize & Pick<ImageFacts, 'format'> {
  const magic = file.toString('latin1', 0, 12);
  if (magic.startsWith('\x89PNG\r\n\x1a\n')) return { format: 'PNG', ...readPng(file) };
  if (magic.startsWith('\xff\xd8\xff')) return { format: 'JPEG', ...readJpeg(file) };
  if (magic.startsWith('RIFF') && magic.endsWith('WEBP')) return { format: 'WEBP', ...readWebp(file) };
  if (magic.startsWith('GIF87a') || magic.startsWith('GIF89a')) return { format: 'GIF', ...readGif(file) };
  throw new ImageProblem('invalid_image_format');
}

/** PNG: W3C Portable Network Graphics, 5.3 (chunk layout) and 11.2.1 (IHDR comes first). */
function readPng(file: Buffer): ImageSize {
  if (file.length < 33 || file.toString('latin1', 12, 16) !== 'IHDR') {
    throw new ImageProblem('image_parse_error');
  }
  for (let offset = 8; offset + 12 <= file.length; ) {
    const length = file.readUInt32BE(offset);
    const end = offset + 12 + length;
    if (end > file.length) break;
    if (file.toString('latin1', offset + 4, offset + 8) === 'IEND') {
      return { width: file.readUInt32BE(16), height: file.readUInt32BE(20) };
    }
    offset = end;
  }
  throw new ImageProblem('image_parse_error');
}

/** WebP: RFC 9649, 2.4 to 2.7. */
function readWebp(file: Buffer): ImageSize {
  if (file.length < 30 || file.readUInt32LE(4) + 8 > file.length) throw new ImageProblem('image_parse_error');
  const chunk = file.toString('latin1', 12, 16);
  if (chunk === 'VP8X') return { width: file.readUIntLE(24, 3) + 1, height: file.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8 ') {
    return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff };
  }
  if (chunk !== 'VP8L' || file[20] !== 0x2f) throw new ImageProblem('image_parse_error');
  const bits = file.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

import { readGifHeader } from './gif-header.ts';
import { unreadable, unsupportedFormat } from './image-errors.ts';
import type { ImageFormat, ImageHeader, ImageInfo } from './image-format.ts';
import { readJpegHeader } from './jpeg-header.ts';
import { readPngHeader } from './png-header.ts';
import { unsupportedName } from './unsupported-formats.ts';
import { readWebpHeader } from './webp-header.ts';

const HEADER_READERS: Readonly<Record<ImageFormat, (file: Buffer) => ImageHeader>> = {
  png: readPngHeader,
  jpeg: readJpegHeader,
  gif: readGifHeader,
  webp: readWebpHeader,
};

/** EXIF orientations 5 to 8 turn the image by 90 degrees. */
const FIRST_TURNED_ORIENTATION = 5;

/**
 * Reads format and size of an image from its content, without decoding it. Its name does not matter. A file that is
 * cut after its header still has its size, with `truncated: true`.
 *
 * @throws `DESCRIBE_IMAGE_UNREADABLE` for bytes that are empty, no image, or too damaged to have a size.
 * @throws `DESCRIBE_IMAGE_UNSUPPORTED` for a format that the API does not take; the message names it.
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { inspectImage } from '@describe-it/sdk/image';
 *
 * const { format, width, height } = inspectImage(await readFile('cat.jpg'));
 * ```
 */
export function inspectImage(bytes: Uint8Array): ImageInfo {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = formatOf(file);
  let header: ImageHeader;
  try {
    header = HEADER_READERS[format](file);
  } catch (error) {
    // The readers use lengths that the file states, which may point beyond its end.
    throw error instanceof RangeError ? unreadable('the file ends inside its header') : error;
  }
  const { width, height, orientation, animated, truncated } = header;
  if (width === 0 || height === 0) throw unreadable(`the ${format} has no size`);
  const isTurned = orientation >= FIRST_TURNED_ORIENTATION;
  return {
    format,
    mediaType: `image/${format}`,
    width: isTurned ? height : width,
    height: isTurned ? width : height,
    orientation,
    animated,
    truncated,
  };
}

/** Throws as `inspectImage` does when the first bytes already show that they are no image that the API takes. */
export const checkImageHead = (head: Uint8Array): void => {
  formatOf(Buffer.from(head.buffer, head.byteOffset, head.byteLength));
};

const PNG = '\x89PNG\r\n\x1a\n';

function formatOf(file: Buffer): ImageFormat {
  const head = file.toString('latin1', 0, 12);
  if (head.startsWith(PNG)) return 'png';
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'webp';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif';
  if (head === '') throw unreadable('there are no bytes');
  const name = unsupportedName(file);
  throw name === undefined ? unreadable('the bytes are no PNG, JPEG, GIF or WebP') : unsupportedFormat(name);
}

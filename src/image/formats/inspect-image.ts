import { unreadable, unsupportedFormat } from '../image-errors.ts';
import { ByteReader } from './byte-reader.ts';
import { detectFormat } from './detect-format.ts';
import { readGifHeader } from './gif-header.ts';
import type { ImageFormat, ImageHeader, ImageInfo } from './image-format.ts';
import { readJpegHeader } from './jpeg-header.ts';
import { readPngHeader } from './png-header.ts';
import { readWebpHeader } from './webp-header.ts';

const HEADER_READERS: Readonly<Record<ImageFormat, (reader: ByteReader) => ImageHeader>> = {
  png: readPngHeader,
  jpeg: readJpegHeader,
  gif: readGifHeader,
  webp: readWebpHeader,
};

/** EXIF orientations 5 to 8 lie on their side. */
const FIRST_SIDEWAYS_ORIENTATION = 5;

/**
 * Tells format and size of an image from its content, without decoding it and without looking at any name. A file
 * that was cut after its header still has its size, with `truncated: true`.
 *
 * @throws `DESCRIBE_IMAGE_UNREADABLE` for bytes that are empty, no image, or too damaged to tell a size.
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
  const reader = new ByteReader(bytes);
  const format = formatOf(reader);
  const { width, height, orientation, animated, truncated } = HEADER_READERS[format](reader);
  if (width === 0 || height === 0) throw unreadable(`the ${format} has no size`);
  const sideways = orientation >= FIRST_SIDEWAYS_ORIENTATION;
  return {
    format,
    mediaType: `image/${format}`,
    width: sideways ? height : width,
    height: sideways ? width : height,
    orientation,
    animated,
    truncated,
  };
}

/** Throws as `inspectImage` does where already the first bytes are of no image that the API takes. */
export const checkImageHead = (head: Uint8Array): void => {
  formatOf(new ByteReader(head));
};

function formatOf(reader: ByteReader): ImageFormat {
  if (reader.length === 0) throw unreadable('empty');
  const detected = detectFormat(reader);
  if (detected === undefined) throw unreadable('not an image of any known format');
  if (!detected.supported) throw unsupportedFormat(detected.name);
  return detected.format;
}

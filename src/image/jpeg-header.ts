import type { ByteReader } from './byte-reader.ts';
import { exifOrientation, stripExifPrefix } from './exif-orientation.ts';
import { unreadable } from './image-errors.ts';
import type { ImageHeader } from './image-format.ts';

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const APP1 = 0xe1;
const END_MARKER = Buffer.from([0xff, END_OF_IMAGE]);
/** A photo with ICC profile, EXIF and XMP has some dozens. */
const MAX_SEGMENTS = 100_000;

/** SOF0 to SOF15 but for DHT, JPG and DAC, which share the range. */
const isStartOfFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** TEM, RSTn and SOI stand alone, without a length. */
const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** Walks a JPEG's marker segments (ITU T.81, annex B) to its frame header; baseline, progressive and lossless alike. */
export function readJpegHeader(reader: ByteReader): ImageHeader {
  let orientation: number | undefined;
  let size: { readonly width: number; readonly height: number } | undefined;
  let offset = 2;
  for (let segment = 0; segment < MAX_SEGMENTS; segment += 1) {
    const marker = nextMarker(reader, offset);
    if (marker === undefined || marker.code === END_OF_IMAGE) break;
    offset = marker.end;
    if (standsAlone(marker.code)) continue;
    if (!reader.has(offset, 2)) break;
    const length = reader.u16(offset);
    if (length < 2) throw unreadable('a JPEG segment has no length');
    if (marker.code === START_OF_SCAN) {
      if (size === undefined) throw unreadable('the JPEG has no frame header');
      return { ...size, orientation: orientation ?? 1, animated: false, truncated: !hasEnd(reader, offset) };
    }
    if (isStartOfFrame(marker.code))
      size ??= { height: reader.u16(offset + 3), width: reader.u16(offset + 5) };
    if (marker.code === APP1 && orientation === undefined && reader.text(offset + 2, 5) === 'Exif\0') {
      orientation = exifOrientation(stripExifPrefix(reader.bytes.subarray(offset + 2, offset + length)));
    }
    offset += length;
  }
  if (size === undefined) throw unreadable('the JPEG has no frame header');
  return { ...size, orientation: orientation ?? 1, animated: false, truncated: true };
}

/** The next marker from `offset`, past fill bytes and stray ones as decoders skip them. */
function nextMarker(
  reader: ByteReader,
  offset: number,
): { readonly code: number; readonly end: number } | undefined {
  for (let from = offset; ; ) {
    let position = reader.bytes.indexOf(0xff, from);
    if (position === -1) return undefined;
    while (reader.bytes[position] === 0xff) position += 1;
    const code = reader.bytes[position];
    if (code === undefined) return undefined;
    if (code !== 0) return { code, end: position + 1 };
    from = position + 1;
  }
}

/** Whether an end marker follows the scan; trailing bytes after it are common (phones append video). */
function hasEnd(reader: ByteReader, scan: number): boolean {
  const { bytes } = reader;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(END_MARKER) >= scan;
}

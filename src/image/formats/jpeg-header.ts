import { exifOrientation } from './exif-orientation.ts';
import { unreadable } from './image-errors.ts';
import type { ImageHeader } from './image-format.ts';

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const APP1 = 0xe1;
const END_MARKER = Buffer.from([0xff, END_OF_IMAGE]);
/** Most segments: a photo with ICC profile, EXIF and XMP has some dozens. */
const MAX_SEGMENTS = 20_000;
/** Most fill and stray bytes that are skipped in one file. Broken writers leave a few, and decoders skip them. */
const MAX_STRAY_BYTES = 65_536;

/** SOF0 to SOF15 without DHT, JPG and DAC, which share the range. */
const isStartOfFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** TEM, RSTn and SOI have no length. */
const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** Walks a JPEG's marker segments (ITU T.81, annex B) to its frame header; baseline, progressive and lossless alike. */
export function readJpegHeader(file: Buffer): ImageHeader {
  let orientation: number | undefined;
  let size: { readonly width: number; readonly height: number } | undefined;
  let offset = 2;
  const budget = { strayBytes: MAX_STRAY_BYTES };
  for (let segment = 0; segment < MAX_SEGMENTS; segment += 1) {
    const marker = nextMarker(file, offset, budget);
    if (marker === undefined || marker.code === END_OF_IMAGE) break;
    offset = marker.end;
    if (standsAlone(marker.code)) continue;
    if (offset + 2 > file.length) break;
    const length = file.readUInt16BE(offset);
    if (length < 2) throw unreadable('a JPEG segment has no length');
    if (marker.code === START_OF_SCAN) {
      if (size === undefined) throw unreadable('the JPEG has no frame header');
      return {
        ...size,
        orientation: orientation ?? 1,
        animated: false,
        truncated: file.lastIndexOf(END_MARKER) < offset,
      };
    }
    if (isStartOfFrame(marker.code))
      size ??= { height: file.readUInt16BE(offset + 3), width: file.readUInt16BE(offset + 5) };
    if (
      marker.code === APP1 &&
      orientation === undefined &&
      file.toString('latin1', offset + 2, offset + 7) === 'Exif\0'
    ) {
      orientation = exifOrientation(file.subarray(offset + 2, offset + length));
    }
    offset += length;
  }
  if (size === undefined) throw unreadable('the JPEG has no frame header');
  return { ...size, orientation: orientation ?? 1, animated: false, truncated: true };
}

interface Marker {
  readonly code: number;
  /** Offset of the first byte after it. */
  readonly end: number;
}

/** The next marker from `offset`, past fill bytes and stray ones; `undefined` at the end or past the budget. */
function nextMarker(file: Buffer, offset: number, budget: { strayBytes: number }): Marker | undefined {
  const last = Math.min(file.length - 1, offset + budget.strayBytes);
  for (let position = offset; position < last; position += 1) {
    const code = file[position + 1];
    if (file[position] !== 0xff || code === 0xff || code === 0 || code === undefined) continue;
    budget.strayBytes -= position - offset;
    return { code, end: position + 2 };
  }
  return undefined;
}

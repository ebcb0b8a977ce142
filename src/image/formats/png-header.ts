import { unreadable } from '../image-errors.ts';
import type { ByteReader } from './byte-reader.ts';
import { exifOrientation } from './exif-orientation.ts';
import type { ImageHeader } from './image-format.ts';

const FIRST_CHUNK = 8;
/** Length, type and checksum around a chunk's data. */
const CHUNK_FRAME = 12;
/** A 20 MB file of usual 8 kB chunks has 2,500; past this the file is taken as whole rather than walked on. */
const MAX_CHUNKS = 20_000;

/** Reads a PNG's chunk list (W3C PNG, 5.3): size, eXIf orientation, APNG's acTL, and whether IEND is there. */
export function readPngHeader(reader: ByteReader): ImageHeader {
  if (reader.text(12, 4) !== 'IHDR') throw unreadable('the PNG has no header chunk');
  const width = reader.u32(16);
  const height = reader.u32(20);
  let orientation = 1;
  let animated = false;
  let offset = FIRST_CHUNK;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk += 1) {
    if (!reader.has(offset, CHUNK_FRAME)) return { width, height, orientation, animated, truncated: true };
    const length = reader.u32(offset);
    const type = reader.text(offset + 4, 4);
    const truncated = !reader.has(offset, CHUNK_FRAME + length);
    if (truncated || type === 'IEND') return { width, height, orientation, animated, truncated };
    if (type === 'acTL' && length >= 4) animated = reader.u32(offset + 8) > 1;
    if (type === 'eXIf') orientation = exifOrientation(reader.bytes.subarray(offset + 8, offset + 8 + length));
    offset += CHUNK_FRAME + length;
  }
  return { width, height, orientation, animated, truncated: false };
}

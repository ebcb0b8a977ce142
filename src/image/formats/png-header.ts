import { exifOrientation } from './exif-orientation.ts';
import { unreadable } from './image-errors.ts';
import type { ImageHeader } from './image-format.ts';

const FIRST_CHUNK = 8;
/** Bytes of length, type and checksum around a chunk's data. */
const CHUNK_FRAME = 12;
/** Most chunks: a 20 MB file of usual 8 kB chunks has 2,500. A file with more counts as complete. */
const MAX_CHUNKS = 20_000;

/** Reads a PNG's chunk list (W3C PNG, 5.3): size, eXIf orientation, APNG's acTL, and whether IEND is there. */
export function readPngHeader(file: Buffer): ImageHeader {
  if (file.toString('latin1', 12, 16) !== 'IHDR') throw unreadable('the PNG has no header chunk');
  const header = { width: file.readUInt32BE(16), height: file.readUInt32BE(20), orientation: 1, animated: false };
  let offset = FIRST_CHUNK;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk += 1) {
    if (offset + CHUNK_FRAME > file.length) return { ...header, truncated: true };
    const length = file.readUInt32BE(offset);
    const type = file.toString('latin1', offset + 4, offset + 8);
    const truncated = offset + CHUNK_FRAME + length > file.length;
    if (truncated || type === 'IEND') return { ...header, truncated };
    if (type === 'acTL' && length >= 4) header.animated = file.readUInt32BE(offset + 8) > 1;
    if (type === 'eXIf') header.orientation = exifOrientation(file.subarray(offset + 8, offset + 8 + length));
    offset += CHUNK_FRAME + length;
  }
  return { ...header, truncated: false };
}

import { exifOrientation } from './exif-orientation.ts';
import { unreadable } from './image-errors.ts';
import type { ImageHeader } from './image-format.ts';

const FIRST_CHUNK = 12;
const ANIMATION_FLAG = 0x02;
const MAX_CHUNKS = 20_000;

/** Reads the first chunk of a WebP (RFC 9649): lossy `VP8 `, lossless `VP8L` or extended `VP8X`. */
export function readWebpHeader(file: Buffer): ImageHeader {
  const end = 8 + file.readUInt32LE(4);
  const truncated = end > file.length;
  const data = FIRST_CHUNK + 8;
  const plain = { orientation: 1, animated: false, truncated };
  switch (file.toString('latin1', FIRST_CHUNK, FIRST_CHUNK + 4)) {
    case 'VP8 ':
      if (file.readUIntLE(data + 3, 3) !== 0x2a019d) throw unreadable('the WebP has no lossy frame header');
      return {
        ...plain,
        width: file.readUInt16LE(data + 6) & 0x3fff,
        height: file.readUInt16LE(data + 8) & 0x3fff,
      };
    case 'VP8L': {
      if (file.readUInt8(data) !== 0x2f) throw unreadable('the WebP has no lossless header');
      const bits = file.readUInt32LE(data + 1);
      return { ...plain, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return {
        width: file.readUIntLE(data + 4, 3) + 1,
        height: file.readUIntLE(data + 7, 3) + 1,
        orientation: webpOrientation(file, Math.min(end, file.length)),
        animated: (file.readUInt8(data) & ANIMATION_FLAG) !== 0,
        truncated,
      };
    default:
      throw unreadable('the WebP has no image chunk');
  }
}

function webpOrientation(file: Buffer, end: number): number {
  let offset = FIRST_CHUNK;
  for (let chunk = 0; chunk < MAX_CHUNKS && offset + 8 <= end; chunk += 1) {
    const length = file.readUInt32LE(offset + 4);
    if (file.toString('latin1', offset, offset + 4) === 'EXIF') {
      return exifOrientation(file.subarray(offset + 8, offset + 8 + length));
    }
    offset += 8 + length + (length % 2);
  }
  return 1;
}

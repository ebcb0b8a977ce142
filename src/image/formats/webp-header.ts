import { unreadable } from '../image-errors.ts';
import type { ByteReader } from './byte-reader.ts';
import { exifOrientation, stripExifPrefix } from './exif-orientation.ts';
import type { ImageHeader } from './image-format.ts';

const FIRST_CHUNK = 12;
const ANIMATION_FLAG = 0x02;
const MAX_CHUNKS = 20_000;

/** Reads the first chunk of a WebP (RFC 9649): lossy `VP8 `, lossless `VP8L` or extended `VP8X`. */
export function readWebpHeader(reader: ByteReader): ImageHeader {
  const end = 8 + reader.u32(4, true);
  const truncated = end > reader.length;
  const data = FIRST_CHUNK + 8;
  const plain = { orientation: 1, animated: false, truncated };
  switch (reader.text(FIRST_CHUNK, 4)) {
    case 'VP8 ':
      if (reader.u24le(data + 3) !== 0x2a019d) throw unreadable('the WebP has no lossy frame header');
      return {
        ...plain,
        width: reader.u16(data + 6, true) & 0x3fff,
        height: reader.u16(data + 8, true) & 0x3fff,
      };
    case 'VP8L': {
      if (reader.u8(data) !== 0x2f) throw unreadable('the WebP has no lossless header');
      const bits = reader.u32(data + 1, true);
      return { ...plain, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return {
        width: reader.u24le(data + 4) + 1,
        height: reader.u24le(data + 7) + 1,
        orientation: webpOrientation(reader, Math.min(end, reader.length)),
        animated: (reader.u8(data) & ANIMATION_FLAG) !== 0,
        truncated,
      };
    default:
      throw unreadable('the WebP has no image chunk');
  }
}

function webpOrientation(reader: ByteReader, end: number): number {
  let offset = FIRST_CHUNK;
  for (let chunk = 0; chunk < MAX_CHUNKS && offset + 8 <= end; chunk += 1) {
    const length = reader.u32(offset + 4, true);
    if (reader.text(offset, 4) === 'EXIF') {
      return exifOrientation(stripExifPrefix(reader.bytes.subarray(offset + 8, offset + 8 + length)));
    }
    offset += 8 + length + (length % 2);
  }
  return 1;
}

import { ImageProblem } from './image-problem.ts';
import type { ImageSize } from './image-size.ts';

const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);

/** Size from the frame header of a JPEG: ITU-T T.81, B.2.2; it must have an end-of-image marker after it. */
export function readJpeg(file: Buffer): ImageSize {
  for (let offset = 2; offset + 9 < file.length; ) {
    if (file[offset] !== 0xff) break;
    const marker = file[offset + 1] ?? 0;
    if (marker === 0xff) offset += 1;
    else if (isStandalone(marker)) offset += 2;
    else if (isFrameHeader(marker)) {
      if (file.lastIndexOf(END_OF_IMAGE) <= offset) break;
      return { width: file.readUInt16BE(offset + 7), height: file.readUInt16BE(offset + 5) };
    } else offset += 2 + Math.max(2, file.readUInt16BE(offset + 2));
  }
  throw new ImageProblem('image_parse_error');
}

/** Markers without a length: TEM, RST0-7, SOI. */
const isStandalone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** SOF0-15 without DHT (C4), JPG (C8) and DAC (CC), which share their range. */
const isFrameHeader = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

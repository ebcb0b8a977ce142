import { ImageProblem } from './image-problem.ts';
import type { ImageSize } from './image-size.ts';

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/** Size of a GIF by its logical screen: GIF89a specification, 18 to 27. A second frame makes it animated. */
export function readGif(file: Buffer): ImageSize {
  let frames = 0;
  let offset = 13 + colorTableBytes(byteAt(file, 10));
  for (;;) {
    const block = byteAt(file, offset);
    if (block === TRAILER) break;
    if (block === EXTENSION) offset = skipSubBlocks(file, offset + 2);
    else if (block === IMAGE) {
      frames += 1;
      if (frames > 1) throw new ImageProblem('invalid_image_format');
      offset = skipSubBlocks(file, offset + 11 + colorTableBytes(byteAt(file, offset + 9)));
    } else throw new ImageProblem('image_parse_error');
  }
  if (frames === 0) throw new ImageProblem('image_parse_error');
  return { width: file.readUInt16LE(6), height: file.readUInt16LE(8) };
}

const colorTableBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1));

function skipSubBlocks(file: Buffer, start: number): number {
  let offset = start;
  for (;;) {
    const length = byteAt(file, offset);
    offset += 1 + length;
    if (length === 0) return offset;
  }
}

function byteAt(file: Buffer, offset: number): number {
  const byte = file[offset];
  if (byte === undefined) throw new ImageProblem('image_parse_error');
  return byte;
}

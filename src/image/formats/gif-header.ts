import { unreadable } from './image-errors.ts';
import type { ImageHeader } from './image-format.ts';

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
/** Most blocks of 255 bytes: a frame of 20 MB has 80,000. */
const MAX_BLOCKS = 400_000;

/** Walks a GIF's blocks (GIF89a) until its second frame or its trailer. */
export function readGifHeader(file: Buffer): ImageHeader {
  let width = file.readUInt16LE(6);
  let height = file.readUInt16LE(8);
  const found = (frames: number, truncated: boolean): ImageHeader => {
    if (frames === 0) throw unreadable('the GIF has no frame');
    return { width, height, orientation: 1, animated: frames > 1, truncated };
  };
  let offset = 13 + colorTableLength(file.readUInt8(10));
  let frames = 0;
  const budget = { blocks: MAX_BLOCKS };
  while (offset < file.length) {
    const kind = file.readUInt8(offset);
    if (kind === TRAILER) return found(frames, false);
    if (kind === IMAGE) {
      frames += 1;
      if (frames > 1) return found(frames, false);
      if (offset + 11 > file.length) break;
      // A screen without a size, or smaller than its frame, is enlarged to the frame, as decoders do.
      width = Math.max(width, file.readUInt16LE(offset + 1) + file.readUInt16LE(offset + 5));
      height = Math.max(height, file.readUInt16LE(offset + 3) + file.readUInt16LE(offset + 7));
      offset = skipSubBlocks(file, offset + 11 + colorTableLength(file.readUInt8(offset + 9)), budget);
    } else if (kind === EXTENSION) {
      offset = skipSubBlocks(file, offset + 2, budget);
    } else {
      // Decoders stop at an unknown block, and show the frames before it.
      return found(frames, false);
    }
  }
  return found(frames, true);
}

const colorTableLength = (packed: number) => ((packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1));

function skipSubBlocks(file: Buffer, start: number, budget: { blocks: number }): number {
  let offset = start;
  while (offset < file.length) {
    budget.blocks -= 1;
    if (budget.blocks < 0) throw unreadable('the GIF has too many blocks');
    const length = file.readUInt8(offset);
    offset += length + 1;
    if (length === 0) break;
  }
  return offset;
}

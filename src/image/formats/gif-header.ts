import { unreadable } from '../image-errors.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ImageHeader } from './image-format.ts';

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
/** 255 bytes each: 20 MB of one frame has 80,000. */
const MAX_BLOCKS = 400_000;

/** Walks a GIF's blocks (GIF89a) until its second frame or its trailer. */
export function readGifHeader(reader: ByteReader): ImageHeader {
  let width = reader.u16(6, true);
  let height = reader.u16(8, true);
  const found = (frames: number, truncated: boolean): ImageHeader => {
    if (frames === 0) throw unreadable('the GIF has no frame');
    return { width, height, orientation: 1, animated: frames > 1, truncated };
  };
  let offset = 13 + colorTableLength(reader.u8(10));
  let frames = 0;
  const budget = { blocks: MAX_BLOCKS };
  while (reader.has(offset, 1)) {
    const kind = reader.u8(offset);
    if (kind === TRAILER) return found(frames, false);
    if (kind === IMAGE) {
      frames += 1;
      if (frames > 1) return found(frames, false);
      if (!reader.has(offset, 11)) break;
      // A screen of no size, or smaller than its frame, is grown to it as decoders do.
      width = Math.max(width, reader.u16(offset + 1, true) + reader.u16(offset + 5, true));
      height = Math.max(height, reader.u16(offset + 3, true) + reader.u16(offset + 7, true));
      offset = skipSubBlocks(reader, offset + 11 + colorTableLength(reader.u8(offset + 9)), budget);
    } else if (kind === EXTENSION) {
      offset = skipSubBlocks(reader, offset + 2, budget);
    } else {
      // Decoders stop at an unknown block and show what they have.
      return found(frames, false);
    }
  }
  return found(frames, true);
}

const colorTableLength = (packed: number) => ((packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1));

function skipSubBlocks(reader: ByteReader, start: number, budget: { blocks: number }): number {
  let offset = start;
  while (reader.has(offset, 1)) {
    budget.blocks -= 1;
    if (budget.blocks < 0) throw unreadable('the GIF has too many blocks');
    const length = reader.u8(offset);
    offset += length + 1;
    if (length === 0) break;
  }
  return offset;
}

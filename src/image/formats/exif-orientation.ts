const ORIENTATION_TAG = 0x0112;
const SHORT_TYPE = 3;
/** Not allowed by the standard, but viewers read it. */
const LONG_TYPE = 4;
/** Most entries: no camera writes more, so a longer list is damaged. */
const MAX_ENTRIES = 1_000;
const PREFIX = 'Exif\0\0';

/**
 * Reads the orientation, 1 to 8, of a TIFF-structured EXIF block, with or without its `Exif\0\0` prefix. It is 1 where
 * it is absent or damaged, as in viewers. Layout: TIFF 6.0, section 2; tag: Exif 2.32, 4.6.4.
 */
export function exifOrientation(payload: Buffer): number {
  const isPrefixed = payload.toString('latin1', 0, PREFIX.length) === PREFIX;
  try {
    return readOrientation(isPrefixed ? payload.subarray(PREFIX.length) : payload) ?? 1;
  } catch {
    // An offset points behind the end of the block.
    return 1;
  }
}

function readOrientation(block: Buffer): number | undefined {
  const order = block.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM') return undefined;
  const isLittleEndian = order === 'II';
  const u16 = (offset: number) => (isLittleEndian ? block.readUInt16LE(offset) : block.readUInt16BE(offset));
  const u32 = (offset: number) => (isLittleEndian ? block.readUInt32LE(offset) : block.readUInt32BE(offset));
  const directory = u32(4);
  const entries = Math.min(u16(directory), MAX_ENTRIES);
  for (let index = 0; index < entries; index += 1) {
    const entry = directory + 2 + index * 12;
    if (u16(entry) !== ORIENTATION_TAG) continue;
    const type = u16(entry + 2);
    if (type !== SHORT_TYPE && type !== LONG_TYPE) return undefined;
    const value = type === LONG_TYPE ? u32(entry + 8) : u16(entry + 8);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

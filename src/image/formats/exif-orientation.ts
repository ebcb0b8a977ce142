import { ByteReader } from './byte-reader.ts';

const ORIENTATION_TAG = 0x0112;
const SHORT_TYPE = 3;
/** Against the rule, and read by viewers all the same. */
const LONG_TYPE = 4;
/** No camera writes more; a longer list is damage. */
const MAX_ENTRIES = 1_000;

/**
 * Orientation from a TIFF-structured EXIF block, 1 to 8; 1 where it is absent or damaged, as viewers do.
 * Layout: TIFF 6.0, section 2; tag: Exif 2.32, 4.6.4.
 */
export function exifOrientation(block: Uint8Array): number {
  const reader = new ByteReader(block);
  if (!reader.has(0, 8)) return 1;
  const order = reader.text(0, 2);
  if (order !== 'II' && order !== 'MM') return 1;
  const littleEndian = order === 'II';
  const directory = reader.u32(4, littleEndian);
  if (!reader.has(directory, 2)) return 1;
  const entries = Math.min(reader.u16(directory, littleEndian), MAX_ENTRIES);
  for (let index = 0; index < entries; index += 1) {
    const entry = directory + 2 + index * 12;
    if (!reader.has(entry, 12)) return 1;
    if (reader.u16(entry, littleEndian) !== ORIENTATION_TAG) continue;
    const type = reader.u16(entry + 2, littleEndian);
    if (type !== SHORT_TYPE && type !== LONG_TYPE) return 1;
    const value = type === LONG_TYPE ? reader.u32(entry + 8, littleEndian) : reader.u16(entry + 8, littleEndian);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** The EXIF block of a JPEG APP1 or WebP EXIF payload, without its optional `Exif\0\0` prefix. */
export function stripExifPrefix(payload: Uint8Array): Uint8Array {
  const prefixed = payload.length >= 6 && Buffer.from(payload.subarray(0, 6)).toString('latin1') === 'Exif\0\0';
  return prefixed ? payload.subarray(6) : payload;
}

import { describe, expect, it } from 'vitest';
import { exifOrientation } from './exif-orientation.ts';

/** An EXIF block whose only entry is an orientation of this type. */
function block(littleEndian: boolean, type: number, value: number): Buffer {
  const bytes = Buffer.alloc(26);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  bytes.write(littleEndian ? 'II' : 'MM', 'latin1');
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, 8, littleEndian);
  view.setUint16(8, 1, littleEndian);
  view.setUint16(10, 0x0112, littleEndian);
  view.setUint16(12, type, littleEndian);
  view.setUint32(14, 1, littleEndian);
  if (type === 4) view.setUint32(18, value, littleEndian);
  else view.setUint16(18, value, littleEndian);
  return bytes;
}

describe('exifOrientation', () => {
  it('reads an orientation that is a short, or a long as some software writes it', () => {
    for (const littleEndian of [true, false]) {
      for (const type of [3, 4]) {
        expect(exifOrientation(block(littleEndian, type, 6)), `${littleEndian} ${type}`).toBe(6);
        expect(exifOrientation(block(littleEndian, type, 9))).toBe(1);
      }
      expect(exifOrientation(block(littleEndian, 2, 6))).toBe(1);
    }
  });
});

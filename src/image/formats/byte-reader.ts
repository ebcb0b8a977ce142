import { unreadable } from '../image-errors.ts';

/** Reads numbers out of bytes; reading past the end throws `DESCRIBE_IMAGE_UNREADABLE`, never a RangeError. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Tells whether `count` bytes are there from `offset`. */
  has(offset: number, count: number): boolean {
    return offset >= 0 && offset + count <= this.bytes.length;
  }

  u8(offset: number): number {
    this.#need(offset, 1);
    return this.#view.getUint8(offset);
  }

  u16(offset: number, littleEndian = false): number {
    this.#need(offset, 2);
    return this.#view.getUint16(offset, littleEndian);
  }

  u24le(offset: number): number {
    this.#need(offset, 3);
    return this.#view.getUint16(offset, true) | (this.#view.getUint8(offset + 2) << 16);
  }

  u32(offset: number, littleEndian = false): number {
    this.#need(offset, 4);
    return this.#view.getUint32(offset, littleEndian);
  }

  /** `count` bytes as Latin-1 text, shorter where the bytes end earlier. */
  text(offset: number, count: number): string {
    let text = '';
    for (const byte of this.bytes.subarray(offset, offset + count)) text += String.fromCharCode(byte);
    return text;
  }

  #need(offset: number, count: number): void {
    if (!this.has(offset, count)) throw unreadable('the file ends inside its header');
  }
}

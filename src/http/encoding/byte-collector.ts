/** A smaller chunk costs more to hold than its bytes. */
const SMALL_BYTES = 1_024;
const BLOCK_BYTES = 16 * 1_024;
/** Enough to recognise every format, also an SVG behind its comments. */
const HEAD_BYTES = 4_096;

/** Holds the chunks of a stream in memory of about their size. Small chunks are copied together. */
export class ByteCollector {
  readonly #chunks: Uint8Array[] = [];
  #checkHead: ((head: Uint8Array) => void) | undefined;
  #block = Buffer.alloc(0);
  /** Start of the bytes in the block that are not among the chunks yet. */
  #start = 0;
  #end = 0;
  #byteLength = 0;

  /** @param checkHead - Gets the first bytes as soon as they have arrived, so that the rest need not be read. */
  constructor(checkHead?: (head: Uint8Array) => void) {
    this.#checkHead = checkHead;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** @throws the error of `checkHead`, once. */
  push(chunk: Uint8Array): void {
    this.#byteLength += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#flush();
      this.#chunks.push(chunk);
    } else {
      this.#copy(chunk);
    }
    if (this.#checkHead === undefined || this.#byteLength < HEAD_BYTES) return;
    const check = this.#checkHead;
    this.#checkHead = undefined;
    check(Buffer.concat(this.chunks().map((part) => part.subarray(0, HEAD_BYTES))));
  }

  /** All chunks in order. */
  chunks(): readonly Uint8Array[] {
    this.#flush();
    return this.#chunks;
  }

  #copy(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#block.length) {
      this.#flush();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    this.#block.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #flush(): void {
    if (this.#end > this.#start) this.#chunks.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

/** Below this a chunk costs more to hold than its bytes. */
const SMALL_BYTES = 1_024;
const BLOCK_BYTES = 16 * 1_024;

/**
 * Holds the chunks of a stream in memory of about their size, however small they are. Small ones are copied together.
 */
export class ByteCollector {
  readonly #chunks: Uint8Array[] = [];
  #block = Buffer.alloc(0);
  /** Where in the block the bytes lie that are not among the chunks yet. */
  #start = 0;
  #end = 0;
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  push(chunk: Uint8Array): void {
    this.#byteLength += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#flush();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#end + chunk.length > this.#block.length) {
      this.#flush();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    this.#block.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** All that was pushed, in order. */
  chunks(): readonly Uint8Array[] {
    this.#flush();
    return this.#chunks;
  }

  #flush(): void {
    if (this.#end > this.#start) this.#chunks.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

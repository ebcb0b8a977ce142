/** Enough to tell every format, an SVG behind its comments included. */
const HEAD_BYTES = 4_096;

/** Shows the first bytes of a stream to a check as soon as they are there, so that the rest need not be read. */
export class HeadCheck {
  readonly #check: ((head: Uint8Array) => void) | undefined;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #done: boolean;

  constructor(check: ((head: Uint8Array) => void) | undefined) {
    this.#check = check;
    this.#done = check === undefined;
  }

  /** Takes the next chunk. Throws what the check throws, once. */
  push(chunk: Uint8Array): void {
    if (this.#done) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < HEAD_BYTES) return;
    this.#done = true;
    const head = Buffer.concat(this.#chunks.map((part) => part.subarray(0, HEAD_BYTES)));
    this.#chunks = [];
    this.#check?.(head);
  }
}

/**
 * Turns values into what is stored and back. `decode(encode(value))` is what every reader gets, so both tiers agree.
 * `decode` may throw: the entry is then dropped and counts as a miss.
 */
export interface CacheCodec {
  /** Returns text or bytes, or `undefined` for a value that can't be stored. */
  encode(value: unknown): string | Uint8Array | undefined;
  decode(encoded: string | Uint8Array): unknown;
}

/** JSON: plain objects, arrays, strings, finite numbers, booleans and `null`. */
export const jsonCodec: CacheCodec = {
  encode: (value) => JSON.stringify(value) as string | undefined,
  decode: (encoded) => JSON.parse(typeof encoded === 'string' ? encoded : Buffer.from(encoded).toString()),
};

/**
 * Draws a number in [0, 1) that depends on its arguments only. Earlier draws do not change the n-th one, so that
 * concurrency does not change a fault plan.
 * Source of the mixing: MurmurHash3 (Austin Appleby), the 32-bit finalizer.
 */
export function drawAt(seed: number, ...coordinates: readonly number[]): number {
  let hash = mix(seed | 0);
  for (const coordinate of coordinates) hash = mix((hash + Math.imul(coordinate | 0, 0x9e3779b1)) | 0);
  return (hash >>> 0) / 2 ** 32;
}

function mix(value: number): number {
  let hash = value + 0x7f4a7c15;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** A standard normal number from two uniform ones. Source: Box and Muller (1958). */
export const normalFrom = (first: number, second: number): number =>
  Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);

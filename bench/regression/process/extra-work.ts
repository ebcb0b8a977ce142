import { crc32 } from 'node:zlib';
import type { RunChange } from '../define-bench.ts';

/** Small enough for the fastest cache of any core. */
const CHUNK_BYTES = 16 * 1024;
const chunk = Buffer.alloc(CHUNK_BYTES, 'some bytes to sum up');

/**
 * Sums up as many bytes in native code. A loop in JavaScript would not do. It takes three times as long before V8 has
 * compiled it, and that moment depends on the machine.
 */
function checksum(bytes: number): number {
  let sum = 0;
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) {
    sum = crc32(left >= CHUNK_BYTES ? chunk : chunk.subarray(0, left), sum);
  }
  return sum;
}

/** Does some more work in each run, for a slowdown on purpose. */
export const withExtraWork =
  (bytes: number): RunChange =>
  (run) =>
  () => {
    checksum(bytes);
    return run();
  };

/** Bytes whose checksum takes this much CPU time, in microseconds: by the median of some rounds. */
export function bytesForCpuTime(cpuUs: number): number {
  const ROUND_BYTES = 1_000 * CHUNK_BYTES;
  const bytesPerUs: number[] = [];
  for (let round = 0; round < 21; round += 1) {
    const before = process.cpuUsage();
    checksum(ROUND_BYTES);
    const { user, system } = process.cpuUsage(before);
    bytesPerUs.push(ROUND_BYTES / (user + system));
  }
  const middle = bytesPerUs.sort((left, right) => left - right)[10] ?? Number.NaN;
  return Math.max(1, Math.round(cpuUs * middle));
}

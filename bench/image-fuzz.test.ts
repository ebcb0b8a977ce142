import { expect, it } from 'vitest';
import { fuzz } from './image-fuzz.ts';

const READS = ['readUInt8', 'readUInt16LE', 'readUInt16BE', 'readUInt32LE', 'readUInt32BE', 'readUIntLE'] as const;

/** Counts the reads of a header reader, which are what a file can make expensive. */
function countLooks(): () => number {
  let looks = 0;
  for (const name of READS) {
    const read = Buffer.prototype[name] as (...given: number[]) => number;
    Object.assign(Buffer.prototype, {
      [name](this: Buffer, ...given: number[]) {
        looks += 1;
        return read.apply(this, given);
      },
    });
  }
  return () => looks;
}

it('refuses 4,000 mutated images with nothing but DescribeError, none at a high cost', async () => {
  const report = await fuzz(4_000, 20_261_122, { now: countLooks() });
  const { escaped, differing, loaded, refused, highestCost, costliestFile } = report;
  expect({ escaped, differing }).toEqual({ escaped: [], differing: [] });
  // Both outcomes are common, else the mutations are too weak or too strong to mean anything.
  expect(loaded).toBeGreaterThan(400);
  expect(refused['DESCRIBE_IMAGE_UNREADABLE']).toBeGreaterThan(400);
  // A few reads a block, and never more than 400,000 blocks; a file of 20 MB has millions.
  expect(highestCost, costliestFile).toBeLessThan(2_000_000);
  expect(highestCost, costliestFile).toBeGreaterThan(100_000);
});

import { expect, it } from 'vitest';
import { ByteReader } from '../src/image/formats/byte-reader.ts';
import { fuzz } from './image-fuzz.ts';

/** Counts how often a header reader looks into a file, which is what a file can make expensive. */
function countLooks(): () => number {
  let looks = 0;
  const { has } = ByteReader.prototype;
  ByteReader.prototype.has = function counted(...range) {
    looks += 1;
    return has.apply(this, range);
  };
  return () => looks;
}

it('refuses 4,000 mutated images with nothing but DescribeError, none at a high cost', async () => {
  const report = await fuzz(4_000, 20_261_122, { now: countLooks() });
  const { escaped, differing, loaded, refused, highestCost, costliestFile } = report;
  expect({ escaped, differing }).toEqual({ escaped: [], differing: [] });
  // Both outcomes are common, else the mutations are too weak or too strong to mean anything.
  expect(loaded).toBeGreaterThan(400);
  expect(refused['DESCRIBE_IMAGE_UNREADABLE']).toBeGreaterThan(400);
  // Four looks a block, and never more than 400,000 blocks; a file of 20 MB has millions.
  expect(highestCost, costliestFile).toBeLessThan(2_000_000);
  expect(highestCost, costliestFile).toBeGreaterThan(100_000);
});

import { expect, it } from 'vitest';
import { fuzz } from './image-fuzz.ts';

it('refuses 4,000 mutated images with nothing but DescribeError, none slowly', async () => {
  const { escaped, differing, loaded, refused, slowestMs, slowestFile } = await fuzz(4_000, 20_261_122);
  expect({ escaped, differing }).toEqual({ escaped: [], differing: [] });
  // Both outcomes are common, else the mutations are too weak or too strong to mean anything.
  expect(loaded).toBeGreaterThan(400);
  expect(refused['DESCRIBE_IMAGE_UNREADABLE']).toBeGreaterThan(400);
  // Wall time on a shared machine; the bound of 50 ms of CPU is measured by hand with bench/image-fuzz.ts.
  expect(slowestMs, slowestFile).toBeLessThan(250);
});

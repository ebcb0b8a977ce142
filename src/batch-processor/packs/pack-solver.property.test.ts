import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DescribeError } from '../../errors/index.ts';
import { apiError, describeUrl, type FakeItem, FakeSender } from '../fake-sender.fixture.ts';
import { VisionDescriptionBatchProcessor } from '../vision-description-batch-processor.ts';

const address = (index: number) => `https://images.test/${index}.jpg`;

/** Describes this many images in one pack, and returns results and requests. */
async function describePack(count: number, sender: FakeSender) {
  const processor = new VisionDescriptionBatchProcessor(sender, { batchSize: count, retry: false });
  const results = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      processor.process({ imageUrl: address(index) }).catch((error: unknown) => error),
    ),
  );
  await processor.close();
  return results;
}

const pack = fc.integer({ min: 2, max: 16 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    bad: fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: count }),
  }),
);

describe('any pack', () => {
  it('finds d bad images among k within 2·d·log2 k further requests, and describes all others', async () => {
    await fc.assert(
      fc.asyncProperty(pack, async ({ count, bad }) => {
        const poison = new Set(bad.map(address));
        const sender = new FakeSender({
          fault: ({ urls }) =>
            urls.some((url) => poison.has(url)) ? { error: apiError(400, 'invalid_image') } : undefined,
        });
        const results = await describePack(count, sender);
        for (const [index, result] of results.entries()) {
          if (bad.includes(index)) expect(DescribeError.is(result, 'DESCRIBE_IMAGE_UNREADABLE')).toBe(true);
          else expect(result).toMatchObject({ description: describeUrl(address(index)) });
        }
        expect(sender.calls.length - 1).toBeLessThanOrEqual(2 * bad.length * Math.log2(count));
      }),
      { numRuns: 300, seed: 8 },
    );
  });

  it('gives every image its own description whatever happens to the items of the answers', async () => {
    const change = fc.constantFrom<(items: FakeItem[], at: number) => FakeItem[]>(
      (items) => items,
      (items) => items.toReversed(),
      (items, at) => items.toSpliced(at % items.length, 1),
      (items, at) => [...items, ...items.slice(at % items.length)],
      (items, at) => items.map((item, index) => (index === at % items.length ? { ...item, id: 'nobody' } : item)),
      (items, at) => items.map((item, index) => (index === at % items.length ? { id: item.id } : item)),
      // Two answers have one id: one of them belongs to another image.
      (items, at) =>
        items.map((item, index) => ({
          ...item,
          id: items[index === 0 ? at % items.length : index]?.id ?? '',
        })),
      () => [],
    );
    const changes = fc.array(fc.tuple(change, fc.nat(20)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 16 }), changes, async (count, plan) => {
        const sender = new FakeSender({
          fault: (_, number) => {
            const [apply, at] = plan[(number - 1) % plan.length] ?? [(items: FakeItem[]) => items, 0];
            return { items: (items) => apply(items, at) };
          },
        });
        const results = await describePack(count, sender);
        const expected = results.map((_, index) =>
          expect.objectContaining({ description: describeUrl(address(index)) }),
        );
        expect(results).toEqual(expected);
        expect(sender.calls.length).toBeLessThanOrEqual(1 + count);
      }),
      { numRuns: 300, seed: 8 },
    );
  });
});

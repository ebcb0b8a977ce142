import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCollector } from './byte-collector.ts';

describe('ByteCollector', () => {
  it('gives back the bytes in their order, whatever the sizes of the chunks', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 900, max: 5_000 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
        const collector = new ByteCollector();
        const pushed = sizes.map((length, index) => Buffer.alloc(length, index));
        for (const chunk of pushed) collector.push(chunk);
        expect(Buffer.concat([...collector.chunks()]).equals(Buffer.concat(pushed))).toBe(true);
        expect(collector.byteLength).toBe(sizes.reduce((sum, length) => sum + length, 0));
      }),
      { seed: 20_261_122, numRuns: 200 },
    );
  });

  it('holds single bytes together', () => {
    const collector = new ByteCollector();
    for (let index = 0; index < 100_000; index += 1) collector.push(Uint8Array.of(index));
    expect(collector.chunks().length).toBeLessThan(10);
  });
});

import { describe, expect, it } from 'vitest';
import { readImageFacts } from './image-facts.ts';
import { createTestImage } from './test-image.ts';

describe('a test image', () => {
  it.each([200, 65_536, 5_000_001])('of %i bytes is a whole PNG of that size', (fileBytes) => {
    const image = createTestImage({ seed: 3, width: 4, height: 4, fileBytes });
    expect(image).toHaveLength(fileBytes);
    expect(readImageFacts(image)).toMatchObject({ format: 'PNG', width: 4, height: 4 });
  });

  it('can be no smaller than its picture', () => {
    const { length } = createTestImage();
    expect(() => createTestImage({ fileBytes: 10 })).toThrow(`fileBytes: expected at least ${length + 12} bytes`);
    expect(createTestImage({ fileBytes: length + 12 })).toHaveLength(length + 12);
  });
});

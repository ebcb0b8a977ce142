import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { describeImageFacts, readImageFacts } from './image-facts.ts';
import { createTestImage } from './test-image.ts';

const SIZES = [
  [1, 1],
  [3, 200],
  [451, 300],
  [640, 427],
] as const;

const canvas = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 90 } } });

/** A GIF of so many 1×1 frames, written by hand. */
function gif(frames: number): Buffer {
  const screen = Buffer.from([1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
  const frame = Buffer.from([0x21, 0xf9, 4, 0, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]);
  const body = Array.from({ length: frames }, () => frame);
  return Buffer.concat([Buffer.from('GIF89a'), screen, ...body, Buffer.from([0x3b])]);
}

describe('describeImageFacts', () => {
  it.each(SIZES)('reads what sharp wrote: %i×%i in every format', async (width, height) => {
    const files = {
      PNG: await canvas(width, height).png().toBuffer(),
      JPEG: await canvas(width, height).jpeg().toBuffer(),
      WEBP: await canvas(width, height).webp().toBuffer(),
      GIF: await canvas(width, height).gif().toBuffer(),
    };
    for (const [format, file] of Object.entries(files)) {
      const sha256 = createHash('sha256').update(file).digest('hex').slice(0, 12);
      expect(describeImageFacts(file)).toBe(`${format} ${width}×${height} sha256:${sha256}`);
    }
  });

  it('reads progressive JPEG, lossless and extended WEBP', async () => {
    const source = canvas(70, 50);
    const files = [
      await source.clone().jpeg({ progressive: true }).withMetadata().toBuffer(),
      await source.clone().webp({ lossless: true }).toBuffer(),
      await source.clone().webp().withMetadata().toBuffer(),
    ];
    for (const file of files) expect(readImageFacts(file)).toMatchObject({ width: 70, height: 50 });
  });

  it('takes a view into a larger buffer', () => {
    const image = createTestImage({ seed: 1 });
    const larger = Buffer.concat([Buffer.from('before'), image, Buffer.from('after')]);
    const view = new Uint8Array(larger.buffer, larger.byteOffset + 6, image.length);
    expect(describeImageFacts(view)).toBe(describeImageFacts(image));
  });

  it('throws for every image that ends early', async () => {
    const files = [
      createTestImage({ width: 30, height: 30 }),
      await canvas(30, 30).jpeg().toBuffer(),
      await canvas(30, 30).webp().toBuffer(),
      gif(1),
    ];
    for (const file of files) {
      expect(() => readImageFacts(file)).not.toThrow();
      for (let length = 0; length < file.length; length += 1) {
        expect(() => readImageFacts(file.subarray(0, length)), `${length} of ${file.length}`).toThrow(/not an image/);
      }
    }
  });

  it('tells apart why an image is turned down', () => {
    const code = (bytes: Uint8Array) => {
      try {
        return readImageFacts(bytes).text;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    expect(code(Buffer.alloc(0))).toBe('empty_image_file');
    expect(code(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBe('invalid_image_format');
    expect(code(gif(1))).toMatch(/^GIF 1×1/);
    expect(code(gif(2))).toBe('invalid_image_format');
    const empty = Buffer.from(createTestImage());
    empty.writeUInt32BE(0, 16);
    expect(code(empty)).toBe('image_too_small');
  });
});

describe('createTestImage', () => {
  it('turns down sizes that are none', () => {
    expect(() => createTestImage({ width: 0, height: 1.5 })).toThrow(/width: .*; height: /);
  });

  it('makes images that sharp decodes and that differ by their seed', async () => {
    const image = createTestImage({ seed: 300, width: 20, height: 10 });
    const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 20, height: 10 });
    expect(data[0]).toBe(300 % 256);
    expect(createTestImage({ seed: 300, width: 20, height: 10 })).toEqual(image);
    const distinct = new Set(Array.from({ length: 1000 }, (_, seed) => describeImageFacts(createTestImage({ seed }))));
    expect(distinct.size).toBe(1000);
  });
});

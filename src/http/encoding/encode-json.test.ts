import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSlices } from '../../internal/count-slices.fixture.ts';
import { encodeBase64 } from './encode-base64.ts';
import { encodeJson, InlineBytes } from './encode-json.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

describe('encodeJson', () => {
  it('writes what JSON.stringify writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(text(await encodeJson(value))).toBe(JSON.stringify(value));
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it.each([
    ['base64', 'QUJD'.repeat(200_000)],
    ['quotes and controls', '"\\\n\u0000'.repeat(80_000)],
    ['text beyond ASCII', 'héllo wörld – 日本 '.repeat(40_000)],
    ['surrogate pairs across every cut', `a${'😀'.repeat(300_000)}`],
    ['a lone surrogate at a cut', `${'x'.repeat(256 * 1024 - 1)}\ud83dtail${'y'.repeat(1_000)}`],
    ['a lone surrogate at the end', `${'x'.repeat(100_000)}\ud83d`],
  ])('writes a long string as JSON.stringify does: %s', async (_, long) => {
    const value = { model: 'm', parts: [long, { url: long, n: 1 }], tail: 'ü' };
    expect(text(await encodeJson(value))).toBe(JSON.stringify(value));
  });

  it('writes bytes as their data URL', async () => {
    for (const size of [0, 1, 2, 3, 1_000, 3 * 8 * 1024, 3 * 64 * 1024, 1_000_001, 3_000_002]) {
      const bytes = Buffer.alloc(size, 'image').subarray(0, size);
      const made = await encodeJson({ url: new InlineBytes(bytes, 'image/png'), after: true });
      expect(text(made)).toBe(
        JSON.stringify({ url: `data:image/png;base64,${bytes.toString('base64')}`, after: true }),
      );
    }
  });

  it('refuses what JSON can not hold', async () => {
    await expect(encodeJson(undefined)).rejects.toThrow(TypeError);
    await expect(encodeJson(1n)).rejects.toThrow(TypeError);
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const encoding = encodeJson({ url: new InlineBytes(Buffer.alloc(60_000_000), 'image/png') }, controller);
    setImmediate(() => controller.abort(reason));
    await expect(encoding).rejects.toBe(reason);
    await expect(encodeJson(1, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('never sends memory that it did not write when bytes change their size meanwhile', async () => {
    const { buffer } = new Uint8Array(60_000_000);
    const encoding = encodeJson({ url: new InlineBytes(new Uint8Array(buffer), 'image/png') });
    setImmediate(() => structuredClone(buffer, { transfer: [buffer] }));
    await expect(encoding).rejects.toThrow(TypeError);
  });
});

describe('encodeBase64', () => {
  it('gives what Buffer gives, for any length', async () => {
    for (const size of [0, 1, 2, 3, 4, 3 * 128 * 1024 - 1, 3 * 128 * 1024 + 1, 2_000_003]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7) % 256);
      expect(await encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    }
  });

  it('gives the loop its turn while many large images are encoded at once', async () => {
    const images = Array.from({ length: 16 }, (_, index) => Buffer.alloc(500_000, index + 1));
    const encodeAll = () =>
      Promise.all(images.map((image) => encodeJson({ url: new InlineBytes(image, 'image/jpeg') })));
    const { still, pieces } = await countSlices(encodeAll);
    expect(still).toBe(1);
    expect(pieces).toBeGreaterThanOrEqual((16 * 500_000) / (24 * 1024));
  });
});

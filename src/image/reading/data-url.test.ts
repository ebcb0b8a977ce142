import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataUrl, toDataUrl } from './data-url.ts';
import { hashBytes } from './hash-bytes.ts';

const SEED = 20_261_122;
const limits = { maxBytes: 10_000_000, field: 'imageUrl' };
/** Sizes around the ends of the pieces in which bytes are encoded, decoded and hashed. */
const PIECE_ENDS = [3_072, 65_536, 786_432, 1_572_864].flatMap((size) => [size - 1, size, size + 1]);

/** Bytes that repeat with no period of a piece. */
const bytesOf = (size: number) =>
  Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, index) => (index * 7) % 256)));

describe('data URLs', () => {
  it("are what Node's own base64 makes, at every size", async () => {
    for (const size of [0, 1, 2, 3, 4, ...PIECE_ENDS, 3_000_001]) {
      const bytes = bytesOf(size);
      const url = await toDataUrl(bytes, 'image/png');
      expect(url === `data:image/png;base64,${bytes.toString('base64')}`, String(size)).toBe(true);
      expect(Buffer.from(await readDataUrl(url, limits)).equals(bytes), String(size)).toBe(true);
    }
  });

  it('take a view into a larger buffer for its own bytes only', async () => {
    const view = new Uint8Array(bytesOf(100).buffer, 10, 5);
    expect(await toDataUrl(view, 'image/gif')).toBe(`data:image/gif;base64,${Buffer.from(view).toString('base64')}`);
  });

  it('are read through line breaks and escapes, wherever a piece ends', async () => {
    const bytes = bytesOf(200_000);
    for (const lineLength of [1, 3, 76, 1_000]) {
      const lines = bytes.toString('base64').replace(new RegExp(`.{${lineLength}}`, 'g'), '$&\r\n');
      expect(
        Buffer.from(await readDataUrl(`data:;base64,${lines}`, limits)).equals(bytes),
        `lines of ${lineLength}`,
      ).toBe(true);
    }
    const escaped = `data:;base64,${encodeURIComponent(bytes.toString('base64'))}`;
    expect(Buffer.from(await readDataUrl(escaped, limits)).equals(bytes)).toBe(true);
  });

  it('are read as RFC 2397 says where they are not base64', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        const text = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        expect(Buffer.from(await readDataUrl(`data:image/png,${text}`, limits)).equals(bytes)).toBe(true);
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('are refused at the limit before they are decoded', async () => {
    const url = await toDataUrl(bytesOf(1_000), 'image/png');
    expect(await readDataUrl(url, { ...limits, maxBytes: 1_000 })).toHaveLength(1_000);
    await expect(readDataUrl(url, { ...limits, maxBytes: 999 })).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_TOO_LARGE',
    });
    await expect(readDataUrl(url, { ...limits, maxBytes: 1 })).rejects.toThrow('maxBytes (1 bytes)');
    const spaced = `data:;base64,${' '.repeat(5_000)}${url.split(',')[1]}`;
    expect(await readDataUrl(spaced, { ...limits, maxBytes: 1_000 })).toHaveLength(1_000);
  });

  it('end with the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('caller left');
    const bytes = bytesOf(5_000_000);
    const work = [
      toDataUrl(bytes, 'image/png', controller.signal),
      hashBytes(bytes, controller.signal),
      readDataUrl(`data:;base64,${bytes.toString('base64')}`, { ...limits, signal: controller.signal }),
    ];
    controller.abort(reason);
    for (const result of await Promise.allSettled(work)) expect(result).toEqual({ status: 'rejected', reason });
  });
});

describe('hashBytes', () => {
  it('is SHA-256 at every size', async () => {
    for (const size of [0, 1, ...PIECE_ENDS]) {
      const bytes = bytesOf(size);
      expect(await hashBytes(bytes), String(size)).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });
});

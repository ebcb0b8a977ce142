import { describe, expect, it } from 'vitest';
import { bodyPieces } from '../http/encoding/body-pieces.ts';
import { encodeJson, InlineBytes } from '../http/encoding/encode-json.ts';
import { countSlices } from '../internal/count-slices.fixture.ts';
import { readDataUrl, toDataUrl } from './reading/data-url.ts';
import { hashBytes } from './reading/hash-bytes.ts';
import { loadImage } from './reading/image-loader.ts';
import { joinBytes, readStream } from './reading/read-stream.ts';

const KIB = 1024;
const bytes = Buffer.alloc(6_000_000, 'image');
const limits = { maxBytes: 10_000_000, field: 'imageUrl' };
const dataUrl = `data:image/png;base64,${bytes.toString('base64')}`;

/** A PNG with a header, one large chunk and an end. Nothing decodes its pixels. */
function png(size: number): Buffer {
  const image = Buffer.alloc(size, 0x5a);
  image.write('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\0\0\0\x10\0\x08\x02\0\0\0', 0, 'latin1');
  image.writeUInt32BE(size - 33 - 12 - 12, 33);
  image.write('IDAT', 37, 'latin1');
  image.write('\0\0\0\0IEND\xae\x42\x60\x82', size - 12, 'latin1');
  return image;
}

async function* inChunks(size: number) {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function drain(pieces: AsyncIterable<unknown>) {
  for await (const _ of pieces);
}

/** Work on a large input, the length of the input, and the longest piece between two readings of the clock. */
const works: Readonly<Record<string, readonly [() => Promise<unknown>, length: number, longestPiece: number]>> = {
  hash: [() => hashBytes(bytes), bytes.length, 64 * KIB],
  'data URL': [() => toDataUrl(bytes, 'image/png'), bytes.length, 768 * KIB],
  'bytes of base64': [() => readDataUrl(dataUrl, limits), dataUrl.length, 4 * KIB],
  'bytes of escaped base64': read(`;base64,${'%2B'.repeat(500_000)}`),
  'bytes of spaced base64': read(`;base64,${'A '.repeat(500_000)}`),
  'bytes of base64 that is all spaces': read(`;base64,${' '.repeat(1_000_000)}QUJD`),
  'bytes of percent escapes': read(`,${'%89'.repeat(500_000)}`),
  'bytes of escapes out of step': read(`,${'%89a'.repeat(500_000)}`),
  'bytes of a chunked stream': [() => readStream(inChunks(KIB), limits), bytes.length, KIB],
  'joined chunks': [() => joinBytes([bytes, bytes], 2 * bytes.length), 2 * bytes.length, 256 * KIB],
  'request of bytes': encode(new InlineBytes(bytes, 'image/png'), bytes.length, 24 * KIB),
  'request of a data URL': encode(dataUrl),
  'request of text beyond ASCII': encode('日本語 the '.repeat(200_000)),
  'request of quotes and controls': encode('"\n\u0000'.repeat(400_000)),
  'request of many texts': encode(
    Array.from({ length: 500 }, () => 'a'.repeat(10_000)),
    5_000_000,
  ),
  'body on its way': [() => drain(bodyPieces(bytes)), bytes.length, 256 * KIB],
  'image of bytes': [() => loadImage(png(6_000_000)), 6_000_000, 64 * KIB],
};

function read(text: string) {
  return [() => readDataUrl(`data:${text}`, limits), text.length, 4 * KIB] as const;
}

function encode(content: unknown, length = String(content).length, longestPiece = 16 * KIB) {
  return [() => encodeJson({ content }), length, longestPiece] as const;
}

describe('work on a large input', () => {
  it.each(Object.entries(works))('lets the loop turn when its time is over: %s', async (_, work) => {
    const [run, length, longestPiece] = work;
    const { still, pieces } = await countSlices(run);
    expect(still).toBe(1);
    expect(pieces).toBeGreaterThanOrEqual(Math.floor(length / longestPiece));
  });
});

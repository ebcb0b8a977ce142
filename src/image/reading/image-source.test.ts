import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedBytes, type ImageSource } from './image-source.ts';

const BYTES = new Uint8Array(3000).fill(7);
const dataUrl = `data:image/png;base64,${Buffer.from(BYTES).toString('base64')}`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'describe-image-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const expected = (source: ImageSource, maxBytes = 20_000) => expectedBytes(source, { maxBytes });

describe('expectedBytes', () => {
  it('knows the size of what is in memory, at once', () => {
    for (const source of [BYTES, BYTES.buffer, new Blob([BYTES]), dataUrl]) expect(expected(source)).toBe(3000);
    expect(expected('data:image/png,%00%01')).toBe(21);
  });

  it('knows the size of a file before it is read', async () => {
    const path = join(directory, 'image.png');
    await writeFile(path, BYTES);
    await expect(expected({ file: path })).resolves.toBe(3000);
    await expect(expected({ file: pathToFileURL(path) })).resolves.toBe(3000);
  });

  it('takes a stream for as large as it may be', () => {
    expect(expected(new Blob([BYTES]).stream() as ReadableStream<Uint8Array>)).toBe(20_000);
    expect(expected((async function* () {})())).toBe(20_000);
  });

  it('takes a polyfilled Blob that tells no sensible size for a stream', () => {
    for (const size of [Number.NaN, -5]) {
      expect(expected(Object.assign(new Blob([BYTES]).stream(), { size, stream() {} }) as never)).toBe(20_000);
    }
  });

  it('asks no capacity for what is not loaded: a URL, a file that is none, and what is too large', async () => {
    expect(expected('https://images.example.com/cat.jpg')).toBe(0);
    expect(expected(new URL('https://images.example.com/cat.jpg'))).toBe(0);
    expect(expected(BYTES, 2999)).toBe(0);
    expect(expected(new Blob([BYTES]), 2999)).toBe(0);
    await expect(expected({ file: join(directory, 'absent') })).resolves.toBe(0);
    await expect(expected({ file: directory })).resolves.toBe(0);
  });

  it('never takes more for a data URL than it may hold', () => {
    expect(expected(dataUrl, 100)).toBe(100);
  });

  it('ends with the signal', async () => {
    const source = { file: join(directory, 'image.png') };
    await expect(expectedBytes(source, { maxBytes: 1, signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DescribeError } from '../../errors/index.ts';
import { createTestImage } from '../../testing/index.ts';
import { hashBytes, type ImageSource, type ImageTransform, type ImageTransformInfo, loadImage } from '../index.ts';

const original = createTestImage({ seed: 1, width: 64, height: 32 });
const smaller = createTestImage({ seed: 1, width: 16, height: 8 });
const HEIC = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic and so on', 'latin1');
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');

const errorOf = (work: Promise<unknown>): Promise<DescribeError> =>
  work.then(
    () => Promise.reject(new Error('it was loaded')),
    (error: DescribeError) => error,
  );

describe('images.transform', () => {
  it('gets the bytes and their facts once, and gives the image that counts', async () => {
    const calls: [Uint8Array, ImageTransformInfo][] = [];
    const transform: ImageTransform = (bytes, info) => {
      calls.push([bytes, info]);
      return smaller;
    };
    const image = await loadImage(original, { transform });
    expect(image).toMatchObject({ kind: 'bytes', format: 'png', width: 16, height: 8 });
    expect(image).toMatchObject({ bytes: smaller, sha256: await hashBytes(smaller) });
    expect(calls).toEqual([[original, { format: 'png', width: 64, height: 32, signal: expect.any(AbortSignal) }]]);
  });

  it.each<[string, ReturnType<ImageTransform>]>([
    ['a Buffer', smaller],
    ['a Uint8Array', new Uint8Array(smaller)],
    ['an ArrayBuffer', new Uint8Array(smaller).buffer],
    ['{ bytes }', { bytes: smaller }],
    ['{ bytes, mediaType }', { bytes: smaller, mediaType: 'image/png' }],
    ['a promise of bytes', Promise.resolve(smaller)],
    ['a promise of { bytes }', Promise.resolve({ bytes: new Uint8Array(smaller).buffer })],
  ])('may return %s', async (_form, result) => {
    const image = await loadImage(original, { transform: () => result });
    expect(image).toMatchObject({ width: 16, sha256: await hashBytes(smaller) });
  });

  it('may return the bytes as they are', async () => {
    const image = await loadImage(original, { transform: (bytes) => bytes });
    expect(image).toMatchObject({ bytes: original, sha256: await hashBytes(original) });
  });

  it.each<[string, Buffer]>([
    ['HEIC', HEIC],
    ['AVIF', Buffer.from('\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf', 'latin1')],
    ['TIFF', Buffer.from('II*\0 and so on')],
    ['SVG', SVG],
  ])('gets %s, which the API does not take, from every source', async (format, bytes) => {
    const directory = await mkdtemp(join(tmpdir(), 'describe-transform-'));
    try {
      const file = join(directory, 'image');
      await writeFile(file, bytes);
      const sources: ImageSource[] = [
        bytes,
        new Blob([new Uint8Array(bytes)]),
        Readable.from([bytes.subarray(0, 13), bytes.subarray(13)]),
        new Response(new Uint8Array(bytes)),
        `data:image/x;base64,${bytes.toString('base64')}`,
        { file },
      ];
      const formats: unknown[] = [];
      for (const source of sources) {
        const transform: ImageTransform = async (_, info) => {
          formats.push(info.format);
          return smaller;
        };
        expect(await loadImage(source, { transform })).toMatchObject({ format: 'png', width: 16 });
      }
      expect(formats).toEqual(sources.map(() => format));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('gets bytes of no known format, but never none', async () => {
    const formats: unknown[] = [];
    const transform: ImageTransform = (_, { format }) => {
      formats.push(format);
      return smaller;
    };
    await loadImage(Buffer.from('a raw photo'), { transform });
    await loadImage(original.subarray(0, 20), { transform });
    const error = await errorOf(loadImage(new Uint8Array(), { transform }));
    expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_UNREADABLE', message: 'image: there are no bytes' });
    expect(formats).toEqual([undefined, undefined]);
  });

  it('reads no further than maxBytes before it is called', async () => {
    let isCalled = false;
    const transform: ImageTransform = () => {
      isCalled = true;
      return smaller;
    };
    const error = await errorOf(loadImage(Buffer.alloc(2_000), { transform, maxBytes: 1_000 }));
    expect(error.code).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    const streamed = await errorOf(loadImage(Readable.from([Buffer.alloc(2_000)]), { transform, maxBytes: 1_000 }));
    expect(streamed.code).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    expect(isCalled).toBe(false);
  });

  it('makes a large image small enough', async () => {
    const image = await loadImage(original, { transform: () => smaller, maxPixels: 16 * 8 });
    expect(image).toMatchObject({ width: 16 });
    expect((await errorOf(loadImage(original, { maxPixels: 16 * 8 }))).code).toBe('DESCRIBE_IMAGE_TOO_LARGE');
  });

  it('has to be a function', async () => {
    const error = await errorOf(loadImage(original, { transform: 'sharp' as unknown as ImageTransform }));
    expect(error).toMatchObject({ code: 'DESCRIBE_CONFIG_INVALID', message: expect.stringContaining('transform') });
  });
});

describe('a result of images.transform that cannot be sent', () => {
  const wrong =
    (value: unknown): ImageTransform =>
    () =>
      value as Uint8Array;

  it.each<[string, ImageTransform, string, string]>([
    ['nothing', wrong(undefined), 'UNREADABLE', 'got undefined'],
    ['null', wrong(null), 'UNREADABLE', 'got null'],
    ['a text', wrong('data:image/png;base64,secret'), 'UNREADABLE', 'got a string (not shown)'],
    ['an object without bytes', wrong({ data: smaller }), 'UNREADABLE', 'got an object'],
    ['a Blob', wrong(new Blob([new Uint8Array(smaller)])), 'UNREADABLE', 'got an object'],
    ['no bytes', wrong(new Uint8Array()), 'UNREADABLE', 'got no bytes'],
    ['no image', wrong(Buffer.from('no image')), 'UNREADABLE', 'the bytes are no PNG, JPEG, GIF or WebP'],
    ['a cut image', wrong(smaller.subarray(0, 40)), 'UNREADABLE', 'cut off'],
    ['a HEIC', wrong(HEIC), 'UNSUPPORTED', 'HEIC is not supported'],
    ['too many bytes', wrong(Buffer.alloc(20_001)), 'TOO_LARGE', 'maxBytes (20000 bytes); got 20001'],
    ['another type', wrong({ bytes: smaller, mediaType: 'image/webp' }), 'UNREADABLE', 'image/png; got "image/webp"'],
    ['a type that is no text', wrong({ bytes: smaller, mediaType: 7 }), 'UNREADABLE', 'got 7'],
  ])('is an error that names it: %s', async (_what, transform, code, text) => {
    for (const source of [original, Readable.from([original])]) {
      const error = await errorOf(loadImage(source, { transform, maxBytes: 20_000 }));
      expect(error).toMatchObject({ name: 'ImageError', code: `DESCRIBE_IMAGE_${code}`, retryable: false });
      expect(error.message).toMatch(/^images\.transform: /);
      expect(error.message).toContain(text);
      expect(error.message).not.toContain('secret');
    }
  });

  it('calls a JPEG image/jpg, if it likes', async () => {
    const jpeg = await readFile(new URL('../../../examples/images/rocket.jpg', import.meta.url));
    const image = await loadImage(original, { transform: () => ({ bytes: jpeg, mediaType: 'image/jpg' }) });
    expect(image).toMatchObject({ mediaType: 'image/jpeg' });
  });

  const secret = new Error('the secret of the image');
  const late = async () => {
    throw secret;
  };
  const getter = {
    get bytes(): Uint8Array {
      throw secret;
    },
  };
  it.each<[string, ImageTransform]>([
    [
      'it throws',
      () => {
        throw secret;
      },
    ],
    ['it rejects', late],
    ['its result throws', () => getter],
  ])('is an error with its cause, which JSON leaves out: %s', async (_how, transform) => {
    const error = await errorOf(loadImage(original, { transform }));
    expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_UNREADABLE', cause: secret, retryable: false });
    expect(error.message).toBe('images.transform: it failed; see `cause`');
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('wraps a failure of this package, too', async () => {
    const inner = new DescribeError('DESCRIBE_TIMEOUT', 'late', { retryable: true });
    const error = await errorOf(loadImage(original, { transform: () => Promise.reject(inner) }));
    expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_UNREADABLE', cause: inner, retryable: false });
    expect(inspect(error)).toContain('images.transform');
  });
});

describe('the signal of images.transform', () => {
  it('aborts with the call, which does not wait for the transform', async () => {
    const reason = new Error('the caller left');
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const transform: ImageTransform = (_, { signal }) => {
      seen = signal;
      queueMicrotask(() => controller.abort(reason));
      return new Promise(() => {});
    };
    const work = loadImage(original, { transform, signal: controller.signal });
    expect(await errorOf(work)).toBe(reason);
    expect(seen?.reason).toBe(reason);
  });

  it('makes a transform that gives up because of it no failure of the image', async () => {
    const reason = new Error('the caller left');
    const controller = new AbortController();
    const transform: ImageTransform = async (_, { signal }) => {
      controller.abort(reason);
      signal.throwIfAborted();
      return smaller;
    };
    expect(await errorOf(loadImage(original, { transform, signal: controller.signal }))).toBe(reason);
  });

  it('is not called at all when the call has ended before', async () => {
    let isCalled = false;
    const transform: ImageTransform = () => {
      isCalled = true;
      return smaller;
    };
    await errorOf(loadImage(original, { transform, signal: AbortSignal.abort() }));
    expect(isCalled).toBe(false);
  });
});

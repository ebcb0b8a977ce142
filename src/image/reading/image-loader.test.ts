import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { imageIdentity, type LoadedImage, loadImage, toDataUrl } from '../index.ts';

const sample = (name: string) => fileURLToPath(new URL(`../../../examples/images/${name}`, import.meta.url));

/** The smallest PNG: one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
);
const PIXEL_FACTS = {
  kind: 'bytes',
  format: 'png',
  mediaType: 'image/png',
  width: 1,
  height: 1,
  animated: false,
};

const code = (work: Promise<LoadedImage>) =>
  work.then(
    (image) => `loaded ${image.kind}`,
    (error: unknown) => (error as { code?: string }).code ?? error,
  );
const message = (work: Promise<LoadedImage>) =>
  work.then(
    () => 'loaded',
    (error: unknown) => (error as Error).message,
  );

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'describe-image-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('loadImage', () => {
  it('takes the same image from every kind of source', async () => {
    const path = join(directory, 'not-even-a-png.txt');
    await writeFile(path, PIXEL);
    async function* pieces() {
      for (const byte of PIXEL) yield Uint8Array.of(byte);
    }
    const sources = [
      PIXEL,
      new Uint8Array(PIXEL),
      new Uint8Array(PIXEL).buffer,
      new DataView(new Uint8Array(PIXEL).buffer) as unknown as Uint8Array,
      new Blob([PIXEL]),
      new File([PIXEL], 'cat.gif', { type: 'image/gif' }),
      new Blob([PIXEL]).stream(),
      Readable.from([PIXEL.subarray(0, 20), PIXEL.subarray(20)]),
      pieces(),
      { file: path },
      { file: pathToFileURL(path) },
      await toDataUrl(PIXEL, 'image/png'),
      ` data:text/plain;charset=utf-8;BASE64,${encodeURIComponent(PIXEL.toString('base64'))}`,
      `data:image/png;base64,${PIXEL.toString('base64').replace(/.{19}/g, '$&\r\n')}`,
      `data:image/png,${[...PIXEL].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
    ];
    const images = await Promise.all(sources.map((source) => loadImage(source)));
    for (const image of images) expect(image).toMatchObject(PIXEL_FACTS);
    expect(new Set(images.map(imageIdentity)).size).toBe(1);
  });

  it('knows the sample photographs', async () => {
    const size = async (name: string) => {
      const image = await loadImage({ file: sample(name) });
      return image.kind === 'bytes' ? [image.format, image.width, image.height] : undefined;
    };
    expect(await size('astronaut.png')).toEqual(['png', 512, 512]);
    expect(await size('chelsea.png')).toEqual(['png', 451, 300]);
    expect(await size('coffee.png')).toEqual(['png', 600, 400]);
    expect(await size('rocket.jpg')).toEqual(['jpeg', 640, 427]);
    expect(await size('hubble_deep_field.jpg')).toEqual(['jpeg', 1000, 872]);
  });

  it('passes a URL on after checking it, without a request', async () => {
    expect(await loadImage('https://images.example.com/cat.jpg?size=2#top')).toEqual({
      kind: 'url',
      url: 'https://images.example.com/cat.jpg?size=2#top',
    });
    expect(await loadImage(new URL('http://93.184.215.14/cat'))).toMatchObject({ kind: 'url' });
  });

  it('refuses what is no http or data URL, and names the field', async () => {
    for (const url of ['ftp://example.com/cat.jpg', 'file:///etc/passwd', 'cat.jpg', '', 'http://', 'C:\\cat.jpg']) {
      expect(await code(loadImage(url)), url).toBe('DESCRIBE_INPUT_INVALID');
      expect(await message(loadImage(url)), url).toContain('imageUrl');
    }
    for (const source of [undefined, null, 7, {}, [], true]) {
      expect(await code(loadImage(source as unknown as Uint8Array))).toBe('DESCRIBE_INPUT_INVALID');
    }
    // Neither a folder nor a device, which would never end.
    for (const file of [directory, '/dev/null', '/dev/zero']) {
      expect(await code(loadImage({ file })), file).not.toBe('loaded bytes');
    }
    expect(await code(loadImage({ file: directory }))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('refuses a forbidden host unless it is allowed', async () => {
    expect(await code(loadImage('http://127.0.0.1:8080/cat.jpg'))).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    expect(await code(loadImage('https://user:word@example.com/cat.jpg'))).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    expect(await code(loadImage('http://127.0.0.1:8080/cat.jpg', { allowHosts: ['127.0.0.1'] }))).toBe('loaded url');
  });

  it('names formats that the API does not take', async () => {
    const named = async (bytes: string) => message(loadImage(Buffer.from(bytes, 'latin1')));
    expect(await named('\0\0\0\x18ftypheic\0\0\0\0mif1heic')).toContain('HEIC');
    expect(await named('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf')).toContain('AVIF');
    expect(await named('II*\0rest')).toContain('TIFF');
    expect(await named('<?xml version="1.0"?><!-- c --><svg xmlns="…">')).toContain('SVG');
    expect(await named('BM1234')).toContain('BMP');
    expect(await named('%PDF-1.7')).toContain('PDF');
    expect(await code(loadImage(Buffer.from('BM1234')))).toBe('DESCRIBE_IMAGE_UNSUPPORTED');
  });

  it('refuses an animated GIF and takes a still one', async () => {
    const frame = ',\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0';
    const gif = (frames: number) =>
      Buffer.from(`GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff${frame.repeat(frames)};`, 'latin1');
    expect(await loadImage(gif(1))).toMatchObject({ format: 'gif', width: 1, height: 1, animated: false });
    expect(await code(loadImage(gif(2)))).toBe('DESCRIBE_IMAGE_UNSUPPORTED');
  });

  it('refuses bytes that are empty, cut off or no image', async () => {
    const unreadable = 'DESCRIBE_IMAGE_UNREADABLE';
    expect(await code(loadImage(new Uint8Array()))).toBe(unreadable);
    expect(await code(loadImage('data:,'))).toBe(unreadable);
    expect(await code(loadImage(Buffer.from('just some text')))).toBe(unreadable);
    for (let length = 1; length < PIXEL.length; length += 1) {
      expect(await code(loadImage(PIXEL.subarray(0, length))), String(length)).toBe(unreadable);
    }
    expect(await code(loadImage({ file: join(directory, 'absent.png') }))).toBe(unreadable);
  });

  it('stops reading at the limit, and names it', async () => {
    let pulled = 0;
    let stopped = false;
    async function* endless() {
      try {
        yield PIXEL.subarray(0, 8);
        for (;;) {
          pulled += 1;
          yield new Uint8Array(1_000);
        }
      } finally {
        stopped = true;
      }
    }
    const large = await message(loadImage(endless(), { maxBytes: 10_000 }));
    expect(large).toContain('maxBytes (10000 bytes)');
    expect([pulled, stopped]).toEqual([10, true]);
    const over = { maxBytes: PIXEL.length - 1 };
    for (const source of [PIXEL, new Blob([PIXEL]), `data:;base64,${PIXEL.toString('base64')}`]) {
      expect(await code(loadImage(source, over))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    }
    expect(await code(loadImage({ file: sample('rocket.jpg') }, over))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    expect(await code(loadImage(PIXEL, { maxBytes: PIXEL.length }))).toBe('loaded bytes');
    expect(await message(loadImage({ file: sample('rocket.jpg') }, { maxPixels: 100_000 }))).toContain('maxPixels');
  });

  it('stops reading what is no image after its first bytes', async () => {
    let pulled = 0;
    async function* video() {
      yield Buffer.from('\0\0\0\x18ftypmp42', 'latin1');
      for (; pulled < 1_000; pulled += 1) yield new Uint8Array(1_000);
    }
    expect(await message(loadImage(video()))).toContain('MP4 or QuickTime video');
    expect(pulled).toBeLessThan(10);
    pulled = 0;
    async function* text() {
      for (; pulled < 1_000; pulled += 1) yield Buffer.alloc(1_000, 'words ');
    }
    expect(await code(loadImage(text()))).toBe('DESCRIBE_IMAGE_UNREADABLE');
    expect(pulled).toBeLessThan(10);
  });

  it('lets the event loop run however small the chunks are, so that it can leave', async () => {
    for (const size of [0, 1]) {
      const controller = new AbortController();
      const reason = new Error('caller left');
      setImmediate(() => controller.abort(reason));
      const chunks = async function* () {
        yield PIXEL;
        for (let index = 0; index < 300_000; index += 1) yield new Uint8Array(size);
      };
      const work = loadImage(chunks(), { signal: controller.signal });
      await expect(work, `chunks of ${size}`).rejects.toBe(reason);
    }
  });

  it('takes a source that fails when it is touched for unreadable', async () => {
    const thrower = {
      [Symbol.asyncIterator]() {
        throw new Error('no');
      },
    };
    const detached = new ArrayBuffer(8);
    const view = new Uint8Array(detached);
    structuredClone(detached, { transfer: [detached] });
    const spite = {
      get done(): boolean {
        throw new Error('no');
      },
    };
    const nothing = { [Symbol.asyncIterator]: () => ({ next: async () => undefined }) };
    const aNumber = { [Symbol.asyncIterator]: () => ({ next: () => 7 }) };
    const spiteful = { [Symbol.asyncIterator]: () => ({ next: async () => spite }) };
    for (const source of [thrower, { [Symbol.asyncIterator]: 5 }, detached, view, nothing, aNumber, spiteful]) {
      await expect(loadImage(source as unknown as ArrayBuffer)).rejects.toMatchObject({
        code: 'DESCRIBE_IMAGE_UNREADABLE',
      });
    }
  });

  it('leaves a stream that stalls, and cancels it', async () => {
    const clock = new ManualClock();
    let cancelled: unknown = 'not cancelled';
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(PIXEL.subarray(0, 10)),
      pull: () => new Promise<void>(() => {}),
      cancel: () => {
        cancelled = 'cancelled';
      },
    });
    const result = code(loadImage(stalled, { clock, readTimeoutMs: 500 }));
    await clock.advance(499);
    expect(cancelled).toBe('not cancelled');
    await clock.advance(1);
    expect(await result).toBe('DESCRIBE_TIMEOUT');
    expect([cancelled, clock.pendingTimers]).toEqual(['cancelled', 0]);
  });

  it("rejects with the signal's own reason and leaves no timer", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const waiting = loadImage(new ReadableStream<Uint8Array>(), { clock, signal: controller.signal });
    const reason = new Error('caller left');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(loadImage(PIXEL, { signal: controller.signal })).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells a stream that failed, was used or gives no bytes', async () => {
    const failing = Readable.from(
      (async function* () {
        yield PIXEL.subarray(0, 10);
        throw new Error('disk gone');
      })(),
    );
    await expect(loadImage(failing)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_UNREADABLE',
      cause: expect.objectContaining({ message: 'disk gone' }),
    });
    const locked = new Blob([PIXEL]).stream();
    locked.getReader();
    expect(await code(loadImage(locked))).toBe('DESCRIBE_INPUT_INVALID');
    const text = Readable.from(['some text']) as unknown as AsyncIterable<Uint8Array>;
    expect(await code(loadImage(text))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('refuses malformed data URLs', async () => {
    for (const url of [
      'data:image/png;base64',
      'data:image/png;base64,a!b',
      'data:;base64,AA==AA==',
      'data:,%zz',
      'data:,%4x',
      'data:,%+1',
      'data:,%',
      'data:,é',
    ]) {
      expect(await code(loadImage(url)), url).toBe('DESCRIBE_INPUT_INVALID');
    }
  });

  it('lists wrong options', async () => {
    const wrong = { maxByte: 5, maxPixels: 0, allowHosts: ['http://x/'] };
    const text = await message(loadImage(PIXEL, wrong as object));
    expect(text).toContain('did you mean maxBytes?');
    expect(text).toContain('maxPixels');
    expect(text).toContain('allowHosts[0]');
  });
});

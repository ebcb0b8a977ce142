import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectImage } from '../index.ts';

interface CorpusFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** The file before it was cut: sharp does not open every cut file. @defaultValue bytes */
  readonly whole?: Buffer;
}

const SIZES = [
  [1, 1],
  [1, 97],
  [200, 1],
  [16, 16],
  [33, 31],
  [257, 129],
  [640, 427],
  [1023, 4],
] as const;

const canvas = (width: number, height: number, channels: 3 | 4 = 3): Sharp =>
  sharp({ create: { width, height, channels, background: { r: 40, g: 90, b: 200, alpha: 0.5 } } });

const ENCODINGS: Readonly<Record<string, (width: number, height: number) => Sharp>> = {
  png: (w, h) => canvas(w, h).png(),
  'png interlaced': (w, h) => canvas(w, h).png({ progressive: true }),
  'png palette': (w, h) => canvas(w, h).png({ palette: true }),
  'png alpha': (w, h) => canvas(w, h, 4).png(),
  'png grey': (w, h) => canvas(w, h).greyscale().png(),
  'png 16 bit': (w, h) => canvas(w, h).toColourspace('rgb16').png(),
  jpeg: (w, h) => canvas(w, h).jpeg(),
  'jpeg progressive': (w, h) => canvas(w, h).jpeg({ progressive: true }),
  'jpeg mozjpeg': (w, h) => canvas(w, h).jpeg({ mozjpeg: true }),
  'jpeg 4:4:4': (w, h) => canvas(w, h).jpeg({ chromaSubsampling: '4:4:4' }),
  'jpeg grey': (w, h) => canvas(w, h).greyscale().jpeg(),
  'jpeg cmyk': (w, h) => canvas(w, h).toColourspace('cmyk').jpeg(),
  'jpeg icc': (w, h) => canvas(w, h).withIccProfile('p3').jpeg(),
  'webp lossy': (w, h) => canvas(w, h).webp(),
  'webp lossless': (w, h) => canvas(w, h).webp({ lossless: true }),
  'webp alpha': (w, h) => canvas(w, h, 4).webp(),
  'webp icc': (w, h) => canvas(w, h).withIccProfile('p3').webp(),
  gif: (w, h) => canvas(w, h).gif(),
};

const ORIENTED: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  jpeg: (image) => image.jpeg(),
  'jpeg progressive': (image) => image.jpeg({ progressive: true }),
  webp: (image) => image.webp(),
  png: (image) => image.png(),
};

const file = async (name: string, image: Sharp): Promise<CorpusFile> => ({
  name,
  bytes: await image.toBuffer(),
});

const segment = (marker: number, data: Buffer) => {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
};

/** A JPEG with bytes inserted right after its start. */
const withSegments = (jpeg: Buffer, ...parts: readonly Buffer[]) =>
  Buffer.concat([jpeg.subarray(0, 2), ...parts, jpeg.subarray(2)]);

/** An EXIF block of one entry: orientation. */
function exif(orientation: number, order: 'II' | 'MM', tail = Buffer.alloc(0)): Buffer {
  const block = Buffer.alloc(26);
  const little = order === 'II';
  const u16 = (value: number, at: number) => (little ? block.writeUInt16LE(value, at) : block.writeUInt16BE(value, at));
  const u32 = (value: number, at: number) => (little ? block.writeUInt32LE(value, at) : block.writeUInt32BE(value, at));
  block.write(order, 0, 'latin1');
  u16(42, 2);
  u32(8, 4);
  u16(1, 8);
  u16(0x0112, 10);
  u16(3, 12);
  u32(1, 14);
  u16(orientation, 18);
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), block, tail]));
}

/** A GIF of one frame that need not lie inside its screen. */
function gifOf(screen: readonly number[], frame: readonly number[]): Buffer {
  const words = (values: readonly number[]) => Buffer.from(new Uint16Array(values).buffer);
  return Buffer.concat([
    Buffer.from('GIF89a'),
    words(screen),
    Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c]),
    words(frame),
    Buffer.from([0, 2, 2, 0x44, 1, 0, 0x3b]),
  ]);
}

async function oddities(): Promise<CorpusFile[]> {
  const jpeg = await canvas(50, 30).jpeg().toBuffer();
  const thumbnail = await canvas(16, 12).jpeg().toBuffer();
  const png = await canvas(50, 30).png().toBuffer();
  const webp = await canvas(50, 30).webp().toBuffer();
  const gif = await canvas(50, 30).gif().toBuffer();
  const photo = await readFile(new URL('../../../examples/images/rocket.jpg', import.meta.url));
  const garbage = Buffer.from('trailing bytes, as phones append a video \xff\xd9\xff\xc0', 'latin1');
  const files: CorpusFile[] = [
    { name: 'jpeg, little-endian EXIF', bytes: withSegments(jpeg, exif(6, 'II')) },
    { name: 'jpeg, big-endian EXIF', bytes: withSegments(jpeg, exif(8, 'MM')) },
    { name: 'jpeg, EXIF with a thumbnail inside', bytes: withSegments(jpeg, exif(5, 'MM', thumbnail)) },
    { name: 'jpeg, thumbnail in APP13', bytes: withSegments(jpeg, segment(0xed, thumbnail)) },
    { name: 'jpeg, orientation out of range', bytes: withSegments(jpeg, exif(9, 'II')) },
    { name: 'jpeg, fill bytes before a marker', bytes: withSegments(jpeg, Buffer.from([0xff, 0xff, 0xff])) },
    { name: 'jpeg, long comment', bytes: withSegments(jpeg, segment(0xfe, Buffer.alloc(60_000, 0xff))) },
    { name: 'jpeg, restart marker in the header', bytes: withSegments(jpeg, Buffer.from([0xff, 0x01])) },
    { name: 'gif, screen of no size', bytes: gifOf([0, 0], [0, 0, 5, 7]) },
    { name: 'gif, frame larger than its screen', bytes: gifOf([1, 1], [0, 0, 10, 12]) },
    { name: 'gif, frame beyond its screen', bytes: gifOf([10, 10], [5, 3, 10, 10]) },
    // Not 640×480: libnsgif distrusts screens of a monitor's size and takes the frame's, which browsers don't.
    { name: 'gif, frame smaller than its screen', bytes: gifOf([300, 200], [7, 7, 2, 2]) },
    ...(['jpeg', 'png', 'webp', 'gif'] as const).map((format) => ({
      name: `${format}, trailing bytes`,
      bytes: Buffer.concat([{ jpeg, png, webp, gif }[format], garbage]),
    })),
    ...[0.6, 0.8, 0.95].flatMap((share) =>
      Object.entries({ png, webp, jpeg: photo }).map(([format, whole]) => ({
        name: `${format}, cut to ${share}`,
        bytes: whole.subarray(0, Math.ceil(whole.length * share)),
        whole,
      })),
    ),
  ];
  for (const [pages, delay] of [
    [2, 10],
    [5, 100],
  ] as const) {
    const frames = await Promise.all(
      Array.from({ length: pages }, (_, page) =>
        canvas(24, 18)
          .linear(1, page * 20)
          .png()
          .toBuffer(),
      ),
    );
    const animation = () => sharp(frames, { join: { animated: true } });
    files.push(await file(`gif of ${pages} frames`, animation().gif({ delay })));
    files.push(await file(`webp of ${pages} frames`, animation().webp({ delay })));
  }
  return files;
}

async function buildCorpus(): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  for (const [encoding, encode] of Object.entries(ENCODINGS)) {
    for (const [width, height] of SIZES)
      files.push(await file(`${encoding} ${width}x${height}`, encode(width, height)));
  }
  for (const [encoding, encode] of Object.entries(ORIENTED)) {
    for (let orientation = 1; orientation <= 8; orientation += 1) {
      for (const [width, height] of [
        [40, 30],
        [7, 90],
      ] as const) {
        const image = encode(canvas(width, height)).withMetadata({ orientation });
        files.push(await file(`${encoding} ${width}x${height} orientation ${orientation}`, image));
      }
    }
  }
  for (const name of ['astronaut.png', 'chelsea.png', 'coffee.png', 'rocket.jpg', 'hubble_deep_field.jpg']) {
    files.push({ name, bytes: await readFile(new URL(`../../../examples/images/${name}`, import.meta.url)) });
  }
  return [...files, ...(await oddities())];
}

describe('inspectImage beside sharp', () => {
  it('agrees on format, size, orientation and animation over more than 200 files', async () => {
    const corpus = await buildCorpus();
    const differences: unknown[] = [];
    for (const { name, bytes, whole = bytes } of corpus) {
      const metadata = await sharp(whole, { failOn: 'none' }).metadata();
      const theirs = {
        format: metadata.format,
        width: metadata.autoOrient.width,
        height: metadata.autoOrient.height,
        orientation: metadata.orientation ?? 1,
        animated: (metadata.pages ?? 1) > 1,
      };
      const { format, width, height, orientation, animated } = inspectImage(bytes);
      const ours = { format, width, height, orientation, animated };
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) differences.push({ name, ours, theirs });
    }
    expect(differences).toEqual([]);
    expect(corpus.length).toBeGreaterThanOrEqual(200);
  });

  it('tells cut files from whole ones, size and all', async () => {
    for (const { name, bytes } of await buildCorpus()) {
      const whole = inspectImage(bytes);
      expect(whole.truncated, name).toBe(/, cut to/.test(name));
      if (whole.truncated || /trailing|frames/.test(name)) continue;
      const cut = inspectImage(bytes.subarray(0, bytes.length - 1));
      expect({ ...cut, truncated: false }, name).toEqual(whole);
      expect(cut.truncated, name).toBe(true);
    }
  });

  it('names every other format that sharp writes', async () => {
    const others: Readonly<Record<string, Sharp>> = {
      TIFF: canvas(20, 10).tiff(),
      AVIF: canvas(20, 10).heif({ compression: 'av1' }),
    };
    for (const [name, image] of Object.entries(others)) {
      const bytes = await image.toBuffer();
      expect(() => inspectImage(bytes), name).toThrow(`${name} is not supported`);
    }
  });
});

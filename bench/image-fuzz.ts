/**
 * Feeds mutated images to the header readers and reports what came out, the costliest file and the memory held. Fails
 * when the median of a file that was made to cost the most is above 50 ms of CPU.
 * Run: node bench/image-fuzz.ts [count] [seed]
 */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { DescribeError } from '../src/errors/index.ts';
import { type ImageSource, inspectImage, loadImage } from '../src/image/index.ts';

const LIMIT_MS = 50;

export interface FuzzReport {
  readonly files: number;
  readonly loaded: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Errors that are no DescribeError, with the seed and number of their file. */
  readonly escaped: readonly string[];
  /** Files with another outcome from another kind of source than from their bytes. */
  readonly differing: readonly string[];
  /** Cost of the most expensive file, in the unit of `now`. */
  readonly highestCost: number;
  readonly costliestFile: string;
  readonly largestGrowthBytes: number;
}

/** mulberry32: small, seeded, good enough to pick mutations. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

async function seeds(): Promise<readonly Buffer[]> {
  const canvas = () => sharp({ create: { width: 60, height: 40, channels: 3, background: { r: 9, g: 90, b: 200 } } });
  const frames = await Promise.all(
    [1, 2].map((step) =>
      canvas()
        .linear(1, step * 30)
        .png()
        .toBuffer(),
    ),
  );
  const animated = () => sharp(frames, { join: { animated: true } });
  const generated = [
    canvas().png(),
    canvas().png({ progressive: true }),
    canvas().withMetadata({ orientation: 6 }).png(),
    canvas().withMetadata({ orientation: 6 }).jpeg(),
    canvas().jpeg({ progressive: true }),
    canvas().webp(),
    canvas().webp({ lossless: true }),
    canvas().withMetadata({ orientation: 8 }).webp(),
    canvas().gif(),
    animated().gif({ delay: 10 }),
    animated().webp({ delay: 10 }),
    canvas().tiff(),
    canvas().heif({ compression: 'av1' }),
  ];
  const photo = await readFile(new URL('../examples/images/rocket.jpg', import.meta.url));
  return [...(await Promise.all(generated.map((image) => image.toBuffer()))), photo.subarray(0, 30_000)];
}

const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xc0, 0xd8, 0xd9, 0xda, 0xe1, 0xfe, 0xff];

function mutate(original: Buffer, other: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let round = random(6); round >= 0; round -= 1) {
    // Headers decide, so most mutations fall there.
    const at = random(random(3) === 0 ? bytes.length + 1 : Math.min(bytes.length, 120) + 1);
    const value = INTERESTING[random(INTERESTING.length)] ?? 0;
    switch (random(8)) {
      case 0:
        bytes[at] = value;
        break;
      case 1:
        bytes[at] = random(256);
        break;
      case 2:
        bytes.fill(value, at, Math.min(bytes.length, at + 1 + random(8)));
        break;
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random(300), value), bytes.subarray(at)]);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(40))]);
        break;
      case 6:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))]);
        break;
      default:
        bytes = Buffer.concat([bytes, bytes.subarray(at)]);
    }
  }
  return bytes;
}

/** Files made to cost the most: 20 MB of the smallest piece that each reader walks over. */
export function pathologicalFiles(sizeBytes = 20_000_000): Readonly<Record<string, Buffer>> {
  const repeat = (head: string, piece: string) =>
    Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(sizeBytes, Buffer.from(piece, 'latin1'))]);
  const png = '\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\0\0\0\x10\0\x08\x02\0\0\0\0\0\0\0';
  return {
    'png of empty chunks': repeat(png, '\0\0\0\0teSt\0\0\0\0'),
    'png of eXIf chunks': repeat(png, '\0\0\0\x08eXIfII*\0\0\0\0\x08\0\0\0\0'),
    'jpeg of empty segments': repeat('\xff\xd8', '\xff\xfe\0\x02'),
    'jpeg of fill bytes': repeat('\xff\xd8', '\xff'),
    'jpeg of stuffed bytes': repeat('\xff\xd8', '\xff\0'),
    'jpeg of restart markers': repeat('\xff\xd8', '\xff\xd0'),
    'jpeg of zeros': repeat('\xff\xd8\xff', '\0'),
    'jpeg of stray bytes between segments': repeat('\xff\xd8\xff\xfe\0\x02', `${'\xff\0'.repeat(500)}\xff\xfe\0\x02`),
    'jpeg of EXIF segments': repeat('\xff\xd8', '\xff\xe1\0\x0aExif\0\0II'),
    'jpeg scan without end': repeat('\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0\xff\xda\0\x02', '\xff\0'),
    'gif of one-byte blocks': repeat('GIF89a\x10\0\x10\0\0\0\0,\0\0\0\0\x10\0\x10\0\0\x02', '\x01\x01'),
    'gif of empty extensions': repeat('GIF89a\x10\0\x10\0\0\0\0', '!\xfe\0'),
    'webp of empty chunks': repeat('RIFF\xff\xff\xff\xffWEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0', 'XXXX\0\0\0\0'),
    'svg prolog without end': repeat('<?xml version="1.0"?>', '<!-- svg'),
    'heif of brands': repeat('\x01\0\0\0ftyp', 'mif1'),
  };
}

/** The same bytes as streams in pieces of any size, Blobs and data URLs. */
function asSource(bytes: Buffer, random: (below: number) => number): ImageSource {
  switch (random(4)) {
    case 0:
      return new Blob([Uint8Array.from(bytes)]);
    case 1:
      return `data:image/png;base64,${bytes.toString(random(2) === 0 ? 'base64' : 'base64url')}`;
    case 2:
      return `data:,${bytes.toString('hex').replace(/../g, '%$&')}`;
    default:
      return (async function* () {
        for (let start = 0, end = 0; start < bytes.length; start = end) {
          end = start + 1 + random(random(2) === 0 ? 20 : 5_000);
          yield bytes.subarray(start, end);
        }
      })();
  }
}

const outcomeOf = (source: ImageSource) =>
  loadImage(source).then(
    (image) => (image.kind === 'bytes' ? image.sha256 : image.kind),
    (error: unknown) => (DescribeError.is(error) ? error.code : `escaped: ${String(error)}`),
  );

function inspected(bytes: Buffer, now: () => number): { readonly cost: number; readonly error?: unknown } {
  const startedAt = now();
  try {
    inspectImage(bytes);
    return { cost: now() - startedAt };
  } catch (error) {
    return { cost: now() - startedAt, error };
  }
}

/** Milliseconds of CPU that this process has had. */
const cpuMs = () => (({ user, system }) => (user + system) / 1_000)(process.cpuUsage());

export interface FuzzOptions {
  readonly measureMemory?: boolean;
  /** The cost of a file is the growth of this number. @defaultValue milliseconds of CPU */
  readonly now?: () => number;
}

export async function fuzz(
  count: number,
  seed: number,
  { measureMemory = false, now = cpuMs }: FuzzOptions = {},
): Promise<FuzzReport> {
  const originals = await seeds();
  const random = randomFrom(seed);
  // Separate, so that a seed gives the same files for every kind of source.
  const choose = randomFrom(seed ^ 0x5eed);
  const pick = () => originals[random(originals.length)] ?? Buffer.alloc(0);
  const refused: Record<string, number> = {};
  const escaped: string[] = [];
  const differing: string[] = [];
  let loaded = 0;
  let highestCost = 0;
  let costliestFile = '';
  let largestGrowthBytes = 0;
  const held = () => (({ heapUsed, external }) => heapUsed + external)(process.memoryUsage());
  const run = async (name: string, bytes: Buffer, alsoLoad: boolean) => {
    const before = measureMemory ? held() : 0;
    const { cost, error } = inspected(bytes, now);
    if (error === undefined) loaded += 1;
    else if (DescribeError.is(error)) refused[error.code] = (refused[error.code] ?? 0) + 1;
    else escaped.push(`${name}: ${String(error)}`);
    if (cost > highestCost) [highestCost, costliestFile] = [cost, name];
    if (measureMemory) largestGrowthBytes = Math.max(largestGrowthBytes, held() - before);
    if (!alsoLoad) return;
    const [whole, other] = [await outcomeOf(bytes), await outcomeOf(asSource(bytes, choose))];
    if (whole.startsWith('escaped')) escaped.push(`${name}, loaded: ${whole}`);
    if (whole !== other) differing.push(`${name}: ${whole}, ${other}`);
  };
  for (let index = 0; index < count; index += 1) {
    await run(`seed ${seed} file ${index}`, mutate(pick(), pick(), random), index % 20 === 0);
  }
  for (const [name, bytes] of Object.entries(pathologicalFiles())) await run(name, bytes, false);
  return {
    files: count,
    loaded,
    refused,
    escaped,
    differing,
    highestCost,
    costliestFile,
    largestGrowthBytes,
  };
}

if (process.argv[1] === import.meta.filename) {
  const [count = '100000', seed = '20261122'] = process.argv.slice(2);
  const report = await fuzz(Number(count), Number(seed), { measureMemory: true });
  console.log(report);
  for (const [name, bytes] of Object.entries(pathologicalFiles())) {
    const times = Array.from({ length: 7 }, () => inspected(bytes, cpuMs).cost).sort((a, b) => a - b);
    console.log(`${name}: median ${(times[3] ?? 0).toFixed(1)} ms, worst ${(times[6] ?? 0).toFixed(1)} ms`);
    if ((times[3] ?? 0) > LIMIT_MS) process.exitCode = 1;
  }
  if (process.exitCode === 1) console.log(`above the gate of ${LIMIT_MS} ms`);
}

/**
 * Longest stall of the event loop while a 20 MB image is loaded, hashed and written as a data URL, and read back.
 * Run: node bench/image-stalls.ts [rounds]
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { hashBytes, loadImage, toDataUrl } from '../src/image/index.ts';

const SIZE_BYTES = 20_000_000;
const ROUNDS = Number(process.argv[2] ?? 15);

/** A PNG of 20 MB: a header, one huge data chunk that nothing decodes, an end. */
function largePng(): Buffer {
  const png = Buffer.alloc(SIZE_BYTES, 0x5a);
  png.write('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\0\0\0\x10\0\x08\x02\0\0\0', 0, 'latin1');
  png.writeUInt32BE(SIZE_BYTES - 33 - 12 - 12, 33);
  png.write('IDAT', 37, 'latin1');
  png.write('\0\0\0\0IEND\xae\x42\x60\x82', SIZE_BYTES - 12, 'latin1');
  return png;
}

async function stall(name: string, work: () => Promise<unknown>): Promise<void> {
  const worst: number[] = [];
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await delay(20);
    let last = performance.now();
    let longest = 0;
    let running = true;
    // A turn of the loop is timed as a timer or socket would see it.
    const turn = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    const startedAt = performance.now();
    await work();
    took.push(performance.now() - startedAt);
    longest = Math.max(longest, performance.now() - last);
    running = false;
    worst.push(longest);
  }
  const median = (list: readonly number[]) =>
    list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
  console.log(
    `${name}: longest stall median ${median(worst).toFixed(1)} ms, worst ${Math.max(...worst).toFixed(1)} ms; takes ${median(took).toFixed(0)} ms`,
  );
}

const png = largePng();
// One flat string, as a request parser gives it: joining a concatenated one is the engine's work, on its first read.
const url = Buffer.from(await toDataUrl(png, 'image/png')).toString('latin1');
await stall('idle 50 ms (control)', () => delay(50));
await stall('hash', () => hashBytes(png));
await stall('data URL', () => toDataUrl(png, 'image/png'));
await stall('load bytes', () => loadImage(png));
await stall('load data URL', () => loadImage(url));
const blob = new Blob([png]);
await stall('load Blob', () => loadImage(blob));
await stall('at once, unguarded (control)', async () => png.toString('base64'));
const thirtyTwo = (work: () => Promise<unknown>) => Promise.all(Array.from({ length: 32 }, work));
await stall('32 hashes at the same time', () => thirtyTwo(() => hashBytes(png)));
await stall('32 data URLs at the same time', () => thirtyTwo(() => toDataUrl(png, 'image/png')));

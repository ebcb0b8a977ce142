/**
 * Longest stall of the event loop while a 20 MB image is loaded, hashed, written as a data URL and into a request, and
 * sent. Beside it stands the longest stall of an idle loop in the same run, which the machine caused. On Linux, a third
 * number leaves out the time in which other processes ran on this thread's core.
 * Run: node bench/image-stalls.ts [rounds] [part of a name]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { hashBytes, loadImage, toDataUrl } from '../src/image/index.ts';
import { encodeRequest, InlineBytes, OpenAIConnectionPool } from '../src/openai/index.ts';

const SIZE_BYTES = 20_000_000;
const LIMIT_MS = 10;
const ROUNDS = Number(process.argv[2] ?? 30);
const PART = process.argv[3] ?? '';

/** A PNG of 20 MB: a header, one huge data chunk that nothing decodes, an end. */
function largePng(): Buffer {
  const png = Buffer.alloc(SIZE_BYTES, 0x5a);
  png.write('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\0\0\0\x10\0\x08\x02\0\0\0', 0, 'latin1');
  png.writeUInt32BE(SIZE_BYTES - 33 - 12 - 12, 33);
  png.write('IDAT', 37, 'latin1');
  png.write('\0\0\0\0IEND\xae\x42\x60\x82', SIZE_BYTES - 12, 'latin1');
  return png;
}

/** Milliseconds in which this thread was ready to run but others ran; 0 where the system does not report it. */
function waitedForCpu(): () => number {
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r');
    const buffer = Buffer.alloc(128);
    return () => {
      const length = readSync(file, buffer, 0, buffer.length, 0);
      return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
    };
  } catch {
    return () => 0;
  }
}

const waitedMs = waitedForCpu();

/** The longest turn of the loop while `work` ran, as a timer or socket would see it, and without others' time. */
async function longestTurn(work: () => Promise<unknown>) {
  let lastMs = performance.now();
  let lastWaitedMs = waitedMs();
  let longestMs = 0;
  let ownMs = 0;
  let running = true;
  const look = () => {
    const tookMs = performance.now() - lastMs;
    const nowWaitedMs = waitedMs();
    longestMs = Math.max(longestMs, tookMs);
    ownMs = Math.max(ownMs, tookMs - (nowWaitedMs - lastWaitedMs));
    lastWaitedMs = nowWaitedMs;
    lastMs = performance.now();
    if (running) setImmediate(look);
  };
  setImmediate(look);
  const startedAtMs = performance.now();
  await work();
  const tookMs = performance.now() - startedAtMs;
  running = false;
  look();
  return { longestMs, ownMs, tookMs };
}

const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);
const median = (list: readonly number[]) => sorted(list)[Math.floor(list.length / 2)] ?? 0;
const show = (ms: number) => ms.toFixed(1).padStart(6);

async function stall(name: string, work: () => Promise<unknown>, rounds = ROUNDS): Promise<void> {
  if (!name.includes(PART)) return;
  const turns: Awaited<ReturnType<typeof longestTurn>>[] = [];
  const idle: number[] = [];
  await work();
  for (let round = 0; round < rounds; round += 1) {
    idle.push((await longestTurn(() => delay(20))).longestMs);
    turns.push(await longestTurn(work));
  }
  const longest = turns.map(({ longestMs }) => longestMs);
  const own = turns.map(({ ownMs }) => ownMs);
  const late = own.filter((ms) => ms > LIMIT_MS).length;
  console.log(
    [
      name.padEnd(34),
      `median ${show(median(longest))}`,
      `worst ${show(Math.max(...longest))}`,
      `without others' time ${show(Math.max(...own))} (${late} of ${rounds} above ${LIMIT_MS})`,
      `idle loop ${show(Math.max(...idle))}`,
      `takes ${show(median(turns.map(({ tookMs }) => tookMs)))}`,
    ].join('  '),
  );
}

const png = largePng();
// One flat string, as a request parser gives it: joining a concatenated one is the engine's work, on its first read.
const url = Buffer.from(await toDataUrl(png, 'image/png')).toString('latin1');
const blob = new Blob([png]);
const requestOf = (image: string | InlineBytes) => ({
  model: 'gpt-4.1-mini',
  messages: [{ role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: image } }] }],
});
const inline = requestOf(new InlineBytes(png, 'image/png'));

console.log('longest stall of the event loop, in milliseconds');
await stall('hash', () => hashBytes(png));
await stall('data URL', () => toDataUrl(png, 'image/png'));
await stall('request of bytes', () => encodeRequest(inline));
await stall('request of a data URL', () => encodeRequest(requestOf(url)));
await stall('load bytes', () => loadImage(png));
await stall('load data URL', () => loadImage(url));
await stall('load Blob', () => loadImage(blob));

// Each result is dropped as soon as it exists, as a caller does after sending it. Kept results would be freed all at
// once later.
const thirtyTwo = (work: () => Promise<unknown>) => () =>
  Promise.all(Array.from({ length: 32 }, () => work().then(() => undefined)));
await stall(
  '32 hashes at once',
  thirtyTwo(() => hashBytes(png)),
);
await stall(
  '32 data URLs at once',
  thirtyTwo(() => toDataUrl(png, 'image/png')),
);
await stall(
  '32 requests of bytes at once',
  thirtyTwo(() => encodeRequest(inline)),
);

const server = fork(new URL('./openai-transport-server.ts', import.meta.url), { execArgv: [] });
const [{ port }] = (await once(server, 'message')) as [{ port: number }];
const pool = new OpenAIConnectionPool('sk-bench', `http://127.0.0.1:${port}/v1`, { min: 1, max: 1 });
const encoded = await encodeRequest(inline);
await stall('send over the pool', () => pool.use((client) => client.chat.completions.create(inline as never, encoded)));
await pool.destroy();
server.disconnect();

await stall('control: base64 in one piece', async () => png.toString('base64'));
await stall('control: JSON.stringify', async () => Buffer.from(JSON.stringify(requestOf(url))));

/**
 * Memory that the limit of bytes in flight saves. It makes 300 `describe()` calls at once, with files of 2 MB each, and
 * the server answers after a second. Each limit runs in a process of its own.
 *   node bench/admission-memory.ts
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { createDescribeClient } from '../src/index.ts';
import { createTestImage, startFakeOpenAIProcess } from '../src/testing/index.ts';

const CALLS = 300;
const FILE_BYTES = 2_000_000;
const MIB = 1024 * 1024;
const BOUNDS: Readonly<Record<string, number>> = {
  'no bound': Number.MAX_SAFE_INTEGER,
  '256 MiB (default)': 256 * MIB,
  '64 MiB': 64 * MIB,
};

/** A whole PNG of that size: its bulk is a chunk that decoders skip. */
function largeImage(seed: number): Buffer {
  const image = createTestImage({ seed });
  const body = Buffer.concat([Buffer.from('prVt', 'latin1'), randomBytes(FILE_BYTES - image.length - 12)]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(body.length - 4, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  const end = image.length - 12;
  return Buffer.concat([image.subarray(0, end), framed, image.subarray(end)]);
}

async function measure(directory: string, maxBytesInFlight: number) {
  await using server = await startFakeOpenAIProcess({
    latency: { distribution: 'fixed', ms: 1000 },
    record: false,
  });
  await using client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    pool: { max: 64 },
    timeoutMs: 300_000,
    limits: { maxBytesInFlight, maxConcurrency: 64 },
  });
  const before = process.memoryUsage();
  const peak = { rss: 0, external: 0, inFlight: 0 };
  const sampler = setInterval(() => {
    const { rss, external } = process.memoryUsage();
    peak.rss = Math.max(peak.rss, rss - before.rss);
    peak.external = Math.max(peak.external, external - before.external);
    peak.inFlight = Math.max(peak.inFlight, client.stats().admission.bytesInFlight);
  }, 5);
  const startedAtMs = performance.now();
  const outcomes = await Promise.allSettled(
    Array.from({ length: CALLS }, (_, call) => client.describe({ file: join(directory, `${call}.png`) })),
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  clearInterval(sampler);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return {
    'peak RSS above start, MiB': Math.round(peak.rss / MIB),
    'peak external above start, MiB': Math.round(peak.external / MIB),
    'images in flight, MiB': Math.round(peak.inFlight / MIB),
    seconds: Number(seconds.toFixed(1)),
  };
}

const [directory, bound] = process.argv.slice(2);
if (directory !== undefined && bound !== undefined) {
  process.stdout.write(JSON.stringify(await measure(directory, Number(bound))));
} else {
  const made = mkdtempSync(join(tmpdir(), 'describe-admission-'));
  try {
    for (let call = 0; call < CALLS; call += 1) writeFileSync(join(made, `${call}.png`), largeImage(call));
    const rows: Record<string, unknown> = {};
    for (const [name, bytes] of Object.entries(BOUNDS)) {
      const args = [fileURLToPath(import.meta.url), made, String(bytes)];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      rows[name] = JSON.parse(stdout);
    }
    console.table(rows);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

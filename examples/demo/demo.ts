// `npm run demo`: describes the photographs of examples/images, twice, survives an outage and shows its health.
// Without OPENAI_API_KEY it starts the fake server of `./testing`; with REDIS_URL or REDIS_HOST it caches in Redis.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDescribeClient, type DescribeClient, DescribeError } from '@describe-it/sdk';
import { type FakeOpenAI, startFakeOpenAI } from '@describe-it/sdk/testing';
import { Progress } from './progress.ts';
import { printTable } from './table.ts';

const imageFolder = fileURLToPath(new URL('../images', import.meta.url));
const images = readdirSync(imageFolder)
  .filter((name) => /\.(png|jpe?g|webp|gif)$/.test(name))
  .map((name) => join(imageFolder, name));

async function describeAll(client: DescribeClient, title: string): Promise<void> {
  console.log(`\n${title}`);
  const progress = new Progress(images.length);
  const rows: string[][] = [];
  const startedAtMs = performance.now();
  const requests = images.map((file) => ({ file, timeoutMs: 30_000 }));
  for await (const item of client.describeMany(requests, { ordered: true, concurrency: 8 })) {
    progress.step();
    const name = basename(images[item.index] ?? '');
    if (item.status === 'rejected') {
      rows.push([name, DescribeError.is(item.reason) ? item.reason.code : String(item.reason), '-', '-', '-']);
      continue;
    }
    const { description, source, explain, usage } = item.value;
    rows.push([name, description, source, explain.totalMs.toFixed(1), String(usage?.totalTokens ?? 0)]);
  }
  progress.done();
  printTable(['image', 'description', 'source', 'ms', 'tokens'], rows);
  console.log(`${rows.length} images in ${(performance.now() - startedAtMs).toFixed(0)} ms`);
}

/** Every request fails until the breaker opens; then the server heals, and the breaker with it. */
async function surviveOutage(client: DescribeClient, server: FakeOpenAI): Promise<void> {
  console.log('\nAn outage: every request to the API fails');
  server.setFaults({ rules: [{ fault: { kind: 'error', status: 500 } }] });
  const file = images[0] ?? '';
  const codes = new Map<string, number>();
  for (let call = 0; call < 8; call += 1) {
    const error: unknown = await client.describe({ file, cache: 'no-store' }).catch((reason: unknown) => reason);
    const code = DescribeError.is(error) ? error.code : String(error);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  for (const [code, count] of codes) console.log(`  ${count} × ${code}`);
  const { source } = await client.describe({ file });
  console.log(`  while it lasts, what is cached is still answered: ${basename(file)} from ${source}`);
  console.log(`  health: ${(await client.health()).status}`);

  server.setFaults({ rules: [] });
  console.log('The outage ends');
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { explain } = await client.describe({ file, cache: 'reload' });
  console.log(`  described again after ${explain.attempts.length} attempt(s)`);
}

async function main(): Promise<void> {
  const useFake = process.env['OPENAI_API_KEY'] === undefined || process.env['OPENAI_API_KEY'] === '';
  const server = useFake
    ? await startFakeOpenAI({ latency: { distribution: 'uniform', minMs: 40, maxMs: 120 } })
    : undefined;
  console.log(
    server === undefined
      ? 'Using OpenAI, by OPENAI_API_KEY: this costs real tokens.'
      : `No OPENAI_API_KEY: using a fake OpenAI server in this process, ${server.baseURL}. Its descriptions are facts of the bytes it received.`,
  );
  const client = createDescribeClient({
    ...(server === undefined ? {} : { apiKey: server.apiKey, baseURL: server.baseURL }),
    pool: { min: 2, max: 4 },
    batch: { batchSize: 2, maxBatchWaitMs: 20 },
    retry: { initialDelayMs: 50, maxDelayMs: 200 },
    circuitBreaker: { resetTimeoutMs: 1_000 },
  });
  try {
    await client.warmUp();
    await describeAll(client, 'First pass');
    await describeAll(client, 'Second pass: from the cache');
    if (server === undefined) console.log('\nNo outage is injected into the real API.');
    else await surviveOutage(client, server);
    const { status, parts } = await client.health();
    console.log(`\nHealth: ${status}`);
    for (const [name, { status: state, reason }] of Object.entries(parts)) {
      console.log(`  ${name}: ${state}${reason === undefined ? '' : ` (${reason})`}`);
    }
  } finally {
    await client.close();
    await server?.close();
  }
}

await main();

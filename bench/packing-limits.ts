// Real time, minutes long, run by hand: how long the same images take under a limit of requests and under one of tokens,
// sent singly, in packs of five, and as `batch: 'auto'` decides. Each contender has a fake server of its own.
//   node bench/packing-limits.ts [images under the request limit, default 300]
import { createDescribeClient, type DescribeClientOptions } from '../src/index.ts';
import {
  createTestImage,
  describeImageFacts,
  type FakeLimits,
  startFakeOpenAIProcess,
} from '../src/testing/index.ts';

const MODES: Readonly<Record<string, DescribeClientOptions['batch']>> = {
  singly: false,
  'packs of 5': { batchSize: 5, maxBatchWaitMs: 200 },
  auto: 'auto',
};

async function run(batch: DescribeClientOptions['batch'], limits: FakeLimits, images: readonly Uint8Array[]) {
  const server = await startFakeOpenAIProcess({ record: false, limits });
  const client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    batch,
    timeoutMs: 900_000,
    retry: { maxAttempts: 100, initialDelayMs: 200, maxDelayMs: 2000 },
  });
  const startedAtMs = performance.now();
  let wrong = 0;
  for await (const item of client.describeMany(images, { concurrency: 32 })) {
    const expected = describeImageFacts(images[item.index] ?? new Uint8Array());
    if (item.status !== 'fulfilled' || item.value.description !== expected) wrong += 1;
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { requests, rateLimited } = await server.getStats();
  await client.close();
  await server.close();
  return { seconds, wrong, requests, rateLimited };
}

async function compare(title: string, limits: FakeLimits, images: readonly Uint8Array[]): Promise<void> {
  const results = await Promise.all(
    Object.entries(MODES).map(async ([name, batch]) => ({ name, ...(await run(batch, limits, images)) })),
  );
  const baseline = results[0]?.seconds ?? Number.NaN;
  console.log(`\n${title}: ${images.length} images`);
  for (const { name, seconds, wrong, requests, rateLimited } of results) {
    const speed = (baseline / seconds).toFixed(2);
    console.log(
      `  ${name.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${speed}× as fast as singly  ${requests} requests, ${rateLimited} of them 429, ${wrong} wrong`,
    );
  }
}

const count = Number(process.argv[2] ?? 300);
const imagesOf = (length: number, side: number) =>
  Array.from({ length }, (_, seed) => createTestImage({ seed, width: side, height: side }));

await Promise.all([
  compare(
    '60 requests a minute',
    { requestsPerMinute: 60, tokensPerMinute: 10_000_000, burstSeconds: 1 },
    imagesOf(count, 16),
  ),
  compare(
    '100,000 tokens a minute',
    { requestsPerMinute: 10_000, tokensPerMinute: 100_000, burstSeconds: 1 },
    imagesOf(240, 512),
  ),
]);

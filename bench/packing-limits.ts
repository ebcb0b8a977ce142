// The time that the same images take under a limit of requests, and under one of tokens. They are sent singly, in packs
// of at most five, and as `batch: 'auto'` decides. Each contender has a fake server of its own. It runs in real time,
// for minutes, by hand.
//   node bench/packing-limits.ts [images under the request limit, default 300]
import { createDescribeClient, type DescribeClientOptions } from '../src/index.ts';
import { createTestImage, describeImageFacts, type FakeLimits, startFakeOpenAIProcess } from '../src/testing/index.ts';

const MODES: Readonly<Record<string, DescribeClientOptions['batch']>> = {
  singly: false,
  'packs of 5': { batchSize: 5, maxBatchWaitMs: 200 },
  auto: 'auto',
};

interface Scenario {
  readonly title: string;
  readonly limits: FakeLimits;
  readonly images: readonly Uint8Array[];
  /** @defaultValue the client's */
  readonly prompt?: string;
}

async function run(batch: DescribeClientOptions['batch'], { limits, images, prompt }: Scenario) {
  const server = await startFakeOpenAIProcess({ record: false, limits });
  const client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    batch,
    prompt,
    timeoutMs: 900_000,
    retry: { maxAttempts: 100, initialDelayMs: 200, maxDelayMs: 2000 },
  });
  const startedAtMs = performance.now();
  let wrong = 0;
  const sizes = new Map<number, number>();
  for await (const item of client.describeMany(images, { concurrency: 32 })) {
    const expected = describeImageFacts(images[item.index] ?? new Uint8Array());
    if (item.status !== 'fulfilled' || item.value.description !== expected) wrong += 1;
    if (item.status !== 'fulfilled') {
      console.error(`image ${item.index}:`, item.reason);
      continue;
    }
    const { batchSize } = item.value.explain;
    sizes.set(batchSize, (sizes.get(batchSize) ?? 0) + 1);
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { requests, rateLimited } = await server.getStats();
  const alone = sizes.get(1) ?? 0;
  await client.close();
  await server.close();
  return { seconds, wrong, requests, rateLimited, alone };
}

async function compare(scenario: Scenario): Promise<void> {
  const results = await Promise.all(
    Object.entries(MODES).map(async ([name, batch]) => ({ name, ...(await run(batch, scenario)) })),
  );
  const baseline = results[0]?.seconds ?? Number.NaN;
  console.log(`\n${scenario.title}: ${scenario.images.length} images`);
  for (const { name, seconds, wrong, requests, rateLimited, alone } of results) {
    const speed = (baseline / seconds).toFixed(2);
    console.log(
      `  ${name.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${speed}× as fast as singly  ${requests} requests, ${rateLimited} of them 429, ${alone} images alone, ${wrong} wrong`,
    );
  }
}

const count = Number(process.argv[2] ?? 300);
const imagesOf = (length: number, side: number) =>
  Array.from({ length }, (_, seed) => createTestImage({ seed, width: side, height: side }));

const manyRequests = { requestsPerMinute: 10_000, tokensPerMinute: 100_000, burstSeconds: 1 };

await Promise.all([
  compare({
    title: '60 requests a minute',
    limits: { requestsPerMinute: 60, tokensPerMinute: 10_000_000, burstSeconds: 1 },
    images: imagesOf(count, 16),
  }),
  compare({ title: '100,000 tokens a minute', limits: manyRequests, images: imagesOf(240, 512) }),
  compare({
    title: '100,000 tokens a minute, a prompt of 2,000 characters',
    limits: manyRequests,
    images: imagesOf(160, 512),
    prompt: 'Describe this image. '.padEnd(2_000, 'Say what is in the foreground. '),
  }),
]);

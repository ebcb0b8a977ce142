import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DescribeError } from '../errors/describe-error.ts';
import {
  createTestImage,
  describeImageFacts,
  type FakeOpenAI,
  ManualClock,
  readImageFacts,
  startFakeOpenAI,
} from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

let server: FakeOpenAI;
let client: DescribeClient | undefined;
beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await client?.destroy();
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions, { apiKey, baseURL } = server) => {
  client = createDescribeClient({ apiKey, baseURL, cache: false, ...options });
  return client;
};

const images = Array.from({ length: 60 }, (_, seed) => createTestImage({ seed: 900 + seed }));
const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
const latency = (ms: number) => [{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms } } }] as const;

/** Describes these at once, checks each description, and returns the number of images in each request. */
async function packSizes(started: DescribeClient, some: readonly Uint8Array[]): Promise<number[]> {
  const results = await Promise.all(some.map((image) => started.describe(image)));
  expect(results.map(({ description }) => description)).toEqual(some.map((image) => describeImageFacts(image)));
  return results.map(({ explain }) => explain.batchSize);
}

describe('packs of a client', () => {
  it('are on their way at once as far as connections reach', async () => {
    server.setFaults([...latency(200)]);
    const started = start({ batch: { batchSize: 4 } });
    expect(new Set(await packSizes(started, images.slice(0, 40)))).toEqual(new Set([4]));
    // More than the two of the batch processor's default.
    expect(server.getStats().mostInFlight).toBeGreaterThan(3);
  });

  it('are as many at once as the options say', async () => {
    server.setFaults([...latency(50)]);
    const started = start({ batch: { batchSize: 4, maxConcurrentBatches: 3 } });
    expect(new Set(await packSizes(started, images.slice(0, 40)))).toEqual(new Set([4]));
    expect(server.getStats().mostInFlight).toBe(3);
  });

  it('are taken apart in the queue where the answers tell that tokens are short and a pack saves none', async () => {
    await using limited = await startFakeOpenAI({
      limits: { requestsPerMinute: 10_000, tokensPerMinute: 400_000, burstSeconds: 1 },
    });
    const started = start({ batch: { batchSize: 5 }, timeoutMs: 30_000 }, limited);
    const sizes = await packSizes(
      started,
      Array.from({ length: 40 }, (_, seed) => createTestImage({ seed, width: 512, height: 512 })),
    );
    // No image goes alone where tokens are plentiful, and fewer do the slower the machine is.
    expect(sizes.filter((size) => size === 1).length).toBeGreaterThanOrEqual(5);
  });

  it('fill up while they wait for a request', async () => {
    await using limited = await startFakeOpenAI({
      limits: { requestsPerMinute: 300, tokensPerMinute: 10_000_000, burstSeconds: 1 },
    });
    const started = start({ batch: { batchSize: 5, maxBatchWaitMs: 10 } }, limited);
    const trickle = images.map(async (image, at) => {
      await pause(at * 20);
      return started.describe(image);
    });
    const sizes = (await Promise.all(trickle)).map(({ explain }) => explain.batchSize);
    // A call arrives every 20 ms, so that no second one joins within 10 ms; 5 requests a second pass.
    expect(sizes.filter((size) => size > 1).length).toBeGreaterThan(40);
    expect(limited.getStats().rateLimited).toBeLessThan(3);
  });

  it('are not sent by the dozen before the first answer tells what the limits are', async () => {
    await using limited = await startFakeOpenAI({
      limits: { requestsPerMinute: 60, tokensPerMinute: 10_000_000, burstSeconds: 1 },
    });
    const started = start({ batch: { batchSize: 20 }, timeoutMs: 30_000 }, limited);
    expect(await packSizes(started, images)).toEqual(Array(60).fill(20));
    expect(limited.getStats().rateLimited).toBeLessThanOrEqual(1);
  });

  it('leave out a call that has little time: it goes alone, and its failure counts for the breaker', async () => {
    const started = start({
      batch: { batchSize: 4, maxBatchWaitMs: 200 },
      retry: false,
      circuitBreaker: { failureThreshold: 3 },
    });
    // The first call loads the client, which takes its time.
    await started.describe(images[0] ?? '', { timeoutMs: 10_000 });
    server.setFaults([{ fault: { kind: 'hang' } }]);
    const codes: unknown[] = [];
    for (const image of images.slice(1, 5)) {
      codes.push(await started.describe(image, { timeoutMs: 300 }).catch(({ code }: DescribeError) => code));
    }
    expect(codes).toEqual([...Array(3).fill('DESCRIBE_TIMEOUT'), 'DESCRIBE_CIRCUIT_OPEN']);
  });

  it('go at once when the client closes: no more images come', async () => {
    const started = start({ batch: { batchSize: 9, maxBatchWaitMs: 20_000 }, clock: new ManualClock() });
    const results = packSizes(started, images.slice(0, 2));
    await expect.poll(() => started.batch?.getMetrics().accepted).toBe(2);
    await started.close();
    expect(await results).toEqual([2, 2]);
  });

  it('take as many images as the client admits', async () => {
    const started = start({
      batch: { batchSize: 20_000, maxBatchWaitMs: 60_000, maxPackTokens: 1e9 },
      limits: { maxQueuedCalls: 10_100 },
    });
    const imageUrl = 'https://images.example/1.png';
    const results = Array.from({ length: 10_101 }, () =>
      started.batch?.process({ imageUrl }).catch((error: unknown) => error),
    );
    await started.batch?.destroy('enough');
    const outcomes = await Promise.all(results);
    expect(new Set(outcomes.slice(0, 10_100))).toEqual(new Set(['enough']));
    expect(outcomes.at(-1)).toMatchObject({ code: 'DESCRIBE_QUEUE_FULL' });
  });

  it('pass a limit of tokens that a whole pack is beyond', async () => {
    await using small = await startFakeOpenAI({ limits: { tokensPerMinute: 1_190, burstSeconds: 60 } });
    const started = start({ batch: { batchSize: 4, maxBatchWaitMs: 50 } }, small);
    const sizes = await packSizes(
      started,
      images.slice(0, 4).map((_, at) => images[at] ?? new Uint8Array()),
    );
    expect(Math.max(...sizes)).toBeLessThan(4);
  });

  it('are asked for under the name that an endpoint has for the model', async () => {
    await using azure = await startFakeOpenAI({
      limits: { requestsPerMinute: 20, tokensPerMinute: 1_000_000, burstSeconds: 60 },
    });
    const { apiKey, baseURL } = azure;
    client = createDescribeClient({
      endpoints: [{ apiKey, baseURL, model: 'gpt-4o' }],
      batch: 'auto',
      cache: false,
    });
    for (const image of images.slice(0, 12)) await client.describe(image);
    expect(Math.max(...(await packSizes(client, images.slice(12, 24))))).toBeGreaterThan(1);
  });
});

describe("with 'auto' from the start of a burst", () => {
  it('one that was refused for good while it went alone is not asked again in a pack', async () => {
    await using limited = await startFakeOpenAI({
      limits: { requestsPerMinute: 300, tokensPerMinute: 10_000_000, burstSeconds: 1 },
    });
    const [bad = new Uint8Array()] = images;
    const { hash } = readImageFacts(bad);
    limited.setFaults([
      { when: { imageHash: hash }, fault: { kind: 'refusal' } },
      { when: { imageHash: hash }, fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 500 } } },
    ]);
    const started = start({ batch: 'auto', timeoutMs: 30_000 }, limited);
    const refused = started.describe(bad).catch(({ code }: DescribeError) => code);
    const others = packSizes(started, images.slice(1, 40));
    expect(await refused).toBe('DESCRIBE_REFUSED');
    await others;
    expect(limited.getStats().images[hash]).toMatchObject({ requests: 1 });
  });

  it('those that wait in the queue join packs as soon as the answers tell that requests are short', async () => {
    await using limited = await startFakeOpenAI({
      limits: { requestsPerMinute: 300, tokensPerMinute: 10_000_000, burstSeconds: 1 },
    });
    const started = start({ batch: 'auto', timeoutMs: 30_000 }, limited);
    const sizes = await packSizes(started, images);
    expect(sizes.filter((size) => size > 1).length).toBeGreaterThan(40);
  });
});

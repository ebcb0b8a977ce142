import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../../errors/describe-error.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from '../../testing/index.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import type { DescribeClient } from '../describe-client.ts';
import type { DescribeClientOptions } from '../options/client-options.ts';

const images = Array.from({ length: 60 }, (_, seed) => createTestImage({ seed, width: 8, height: 8 }));
const SIZE = Math.max(...images.map(({ length }) => length));

let server: FakeOpenAI;
let client: DescribeClient | undefined;

beforeAll(async () => {
  server = await startFakeOpenAI({ latency: { distribution: 'fixed', ms: 10 } });
});
afterEach(async () => {
  await client?.destroy();
  client = undefined;
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions = {}) => {
  client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL, ...options });
  return client;
};

const EMPTY = { calls: 0, waiting: 0, bytesInFlight: 0 };

describe('the gate of a client', () => {
  it('refuses calls beyond limits.maxQueuedCalls at once, without a request, and takes the next', async () => {
    const started = start({ limits: { maxQueuedCalls: 5 } });
    const outcomes = await Promise.allSettled(images.slice(0, 20).map((image) => started.describe(image)));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(15);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({
        code: 'DESCRIBE_QUEUE_FULL',
        option: 'limits.maxQueuedCalls',
        explain: { attempts: [] },
      });
    }
    expect(server.getStats().requests).toBe(5);
    expect(started.stats().admission).toEqual({ ...EMPTY, refused: 15 });
    await started.describe(images[20] ?? '');
  });

  it('holds no more than limits.maxBytesInFlight of images, and describes all of them', async () => {
    const started = start({ limits: { maxBytesInFlight: 5 * SIZE } });
    let peak = 0;
    let done = false;
    const sample = () => {
      peak = Math.max(peak, started.stats().admission.bytesInFlight);
      if (!done) setImmediate(sample);
    };
    sample();
    const results = await Promise.all(images.map((image) => started.describe(new Blob([new Uint8Array(image)]))));
    done = true;
    expect(results).toHaveLength(60);
    expect(peak).toBeLessThanOrEqual(5 * SIZE);
    expect(peak).toBeGreaterThan(3 * SIZE);
    expect(started.stats().admission).toEqual({ ...EMPTY, refused: 0 });
    expect(Math.max(...results.map(({ explain }) => explain.queueMs))).toBeGreaterThan(20);
  });

  it('describes an image that is larger than all the capacity', async () => {
    const started = start({ limits: { maxBytesInFlight: 1 } });
    const results = await Promise.all(images.slice(0, 3).map((image) => started.describe(image)));
    expect(results.map(({ source }) => source)).toEqual(['upstream', 'upstream', 'upstream']);
  });

  it('is empty again whatever became of the calls', async () => {
    const started = start({
      limits: { maxBytesInFlight: 4 * SIZE },
      retry: false,
      circuitBreaker: false,
      // Only calls that hang, and those that wait for them, reach this timeout.
      timeoutMs: 3_000,
    });
    server.setFaults({
      seed: 3,
      rules: [
        { when: { probability: 0.3 }, fault: { kind: 'error', status: 500 } },
        { when: { probability: 0.2 }, fault: { kind: 'hang' } },
      ],
    });
    const controller = new AbortController();
    const calls = images.map((image, index) =>
      started.describe({
        image: index % 7 === 0 ? new Uint8Array([1, 2, 3]) : new Blob([new Uint8Array(image)]),
        ...(index % 3 === 0 ? { signal: controller.signal } : {}),
      }),
    );
    void Promise.any(calls).then(() => controller.abort('enough'));
    const outcomes = await Promise.allSettled(calls);
    const codes = outcomes.map((outcome) =>
      outcome.status === 'fulfilled'
        ? 'fulfilled'
        : DescribeError.is(outcome.reason)
          ? outcome.reason.code
          : outcome.reason,
    );
    expect(new Set(codes)).toEqual(
      new Set(['fulfilled', 'enough', 'DESCRIBE_UPSTREAM', 'DESCRIBE_TIMEOUT', 'DESCRIBE_IMAGE_UNREADABLE']),
    );
    // Work that was given up releases its capacity a little later.
    await expect.poll(() => started.stats().admission).toEqual({ ...EMPTY, refused: 0 });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import { createTestImage, describeImageFacts, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

const CALLS = 1000;
const images = Array.from({ length: CALLS }, (_, seed) => createTestImage({ seed, width: 8, height: 8 }));

let server: FakeOpenAI;
beforeAll(async () => {
  server = await startFakeOpenAI({ record: false });
});
afterEach(() => {
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions) =>
  createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    retry: { initialDelayMs: 5, maxDelayMs: 50 },
    attemptTimeoutMs: 1000,
    ...options,
  });

/** Describes every image and counts outcomes; each success must carry the hash of its own image. */
const describeAll = async (client: DescribeClient) => {
  let succeeded = 0;
  const failures = new Map<string, number>();
  for await (const item of client.describeMany(images, { concurrency: 32 })) {
    if (item.status === 'fulfilled') {
      expect(item.value.description).toBe(describeImageFacts(images[item.index] ?? new Uint8Array()));
      succeeded += 1;
    } else {
      const code = DescribeError.is(item.reason) ? item.reason.code : String(item.reason);
      failures.set(code, (failures.get(code) ?? 0) + 1);
    }
  }
  await client.close();
  await expect.poll(() => server.getStats().connections.open).toBe(0);
  return { succeeded, failures };
};

const error500 = { kind: 'error', status: 500 } as const;

describe('1,000 calls on distinct images', () => {
  it('succeed to 99 % with 5 % errors, 2 % hangs, 2 % resets and 1 % truncated answers', async () => {
    server.setFaults({
      seed: 7,
      rules: [
        { when: { probability: 0.05 }, fault: error500 },
        { when: { probability: 0.02 }, fault: { kind: 'hang' } },
        { when: { probability: 0.02 }, fault: { kind: 'reset', at: 'mid-body' } },
        { when: { probability: 0.01 }, fault: { kind: 'truncate', where: 'body' } },
      ],
    });
    const { succeeded, failures } = await describeAll(start({}));
    const { faults, requests, images: perImage } = server.getStats();
    const injected = Object.values(faults).reduce((sum, count) => sum + count, 0);
    expect(injected).toBeGreaterThan(60);
    expect(requests).toBeLessThanOrEqual(CALLS + injected + 5);
    expect(Math.max(...Object.values(perImage).map((image) => image.requests))).toBeLessThanOrEqual(3 + 1);
    expect({ succeeded: succeeded >= 0.99 * CALLS, failures }).toMatchObject({ succeeded: true });
  }, 60_000);

  it('succeed to 84 % when half of all requests fail, with three attempts, no breaker and no budget', async () => {
    server.setFaults({ seed: 11, rules: [{ when: { probability: 0.5 }, fault: error500 }] });
    const { succeeded, failures } = await describeAll(
      start({ circuitBreaker: false, retry: { initialDelayMs: 5, maxDelayMs: 50, budget: false } }),
    );
    expect(succeeded).toBeGreaterThanOrEqual(0.84 * CALLS);
    expect(succeeded).toBeLessThan(0.92 * CALLS);
    expect([...failures.keys()]).toEqual(['DESCRIBE_UPSTREAM']);
    const { requests, answersByStatus } = server.getStats();
    expect(answersByStatus['200']).toBe(succeeded);
    expect(requests).toBe(succeeded + (answersByStatus['500'] ?? 0));
    expect(requests).toBeLessThanOrEqual(3 * CALLS);
  }, 60_000);

  it('open the breaker in a full outage, which costs few requests, and recover when it ends', async () => {
    let skewMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + skewMs };
    server.setFaults([{ fault: error500 }]);
    const client = start({ clock });
    const failures = new Map<string, number>();
    for await (const item of client.describeMany(images, { concurrency: 8 })) {
      expect(item.status).toBe('rejected');
      if (item.status !== 'rejected' || !DescribeError.is(item.reason)) continue;
      failures.set(item.reason.code, (failures.get(item.reason.code) ?? 0) + 1);
    }
    const { requests } = server.getStats();
    // The threshold is five in a row. Calls that are in flight when it opens still arrive.
    expect(requests).toBeGreaterThanOrEqual(5);
    expect(requests).toBeLessThanOrEqual(5 + 8);
    expect(failures.get('DESCRIBE_CIRCUIT_OPEN')).toBeGreaterThanOrEqual(CALLS - 2 * 8);
    const [breaker] = Object.values(client.breakers);
    expect(breaker?.state).toBe('OPEN');

    server.setFaults([]);
    await expect(client.describe(images[0] ?? '')).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    skewMs += 60_000;
    // The probe: one call goes through, and its success closes the breaker for all.
    await client.describe(images[0] ?? '');
    expect(breaker?.state).toBe('CLOSED');
    const { succeeded } = await describeAll(client);
    expect(succeeded).toBe(CALLS);
    expect(server.getStats().requests).toBe(requests + CALLS);
  }, 60_000);
});

import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DescribeError } from '../errors/describe-error.ts';
import { sleep } from '../internal/async/signals.ts';
import { createTestImage, ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { completion } from './raw-api.fixture.ts';
import { stubPool } from './stub-pool.fixture.ts';

const result = createTestImage({ seed: 1, width: 8, height: 8 });
const MAX_BYTES_IN_FLIGHT = 10_000;

const caller = fc.record({
  bytes: fc.integer({ min: 1_000, max: 12_000 }),
  startMs: fc.nat(30),
  transformMs: fc.nat(40),
  end: fc.constantFrom('image', 'image', 'throws', 'wrong'),
  abortsAfterMs: fc.option(fc.nat(60), { nil: undefined }),
});
type Caller = typeof caller extends fc.Arbitrary<infer Value> ? Value : never;

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => void process.on('unhandledRejection', note));
afterEach(() => void process.off('unhandledRejection', note));

async function run(callers: readonly Caller[]) {
  const clock = new ManualClock();
  const originals: Uint8Array[] = callers.map(({ bytes }, index) => Buffer.alloc(bytes, index));
  const running = new Set<Uint8Array>();
  const called = callers.map(() => 0);
  const most: number[] = [];
  const transform = async (given: Uint8Array, { signal }: { readonly signal: AbortSignal }) => {
    const original = given;
    const index = originals.indexOf(original);
    const { transformMs, end } = callers[index] as Caller;
    called[index] = (called[index] ?? 0) + 1;
    running.add(original);
    if (running.size > 1) most.push([...running].reduce((sum, { length }) => sum + length, 0));
    try {
      await sleep(transformMs, { clock, signal });
      if (end === 'throws') throw new Error('it cannot be decoded');
      return end === 'wrong' ? Buffer.from('no image') : result;
    } finally {
      running.delete(original);
    }
  };
  const pool = stubPool((_body, { signal }) => ({
    withResponse: async () => {
      await sleep(5, { clock, signal });
      return { data: completion('A cat.'), response: new Response(null) };
    },
  }));
  const client = createDescribeClient({
    ...{ apiKey: 'k', baseURL: 'https://api.example.com/v1', clock, pool: () => pool },
    images: { transform },
    limits: { maxBytesInFlight: MAX_BYTES_IN_FLIGHT },
  });
  const calls = callers.map(async ({ startMs, abortsAfterMs }, index) => {
    await sleep(startMs, { clock });
    const controller = new AbortController();
    if (abortsAfterMs !== undefined) void sleep(abortsAfterMs, { clock }).then(() => controller.abort('aborted'));
    const image = originals[index] ?? result;
    return client.describe({ image, signal: controller.signal }).then(
      () => 'image',
      (error: unknown) => (error === 'aborted' ? error : (error as DescribeError).code),
    );
  });
  const all = Promise.all(calls);
  await clock.advance(5_000);
  const ends = await all;
  const { bytesInFlight } = client.stats().admission;
  await client.close();
  return { ends, called, most, bytesInFlight, clock };
}

it('transforms run within the bytes that calls may hold, once a call, and leave nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 10 }), async (callers) => {
      const { ends, called, most, bytesInFlight, clock } = await run(callers);
      for (const [index, end] of ends.entries()) {
        const { end: wanted, abortsAfterMs } = callers[index] as Caller;
        if (end === 'aborted') expect(abortsAfterMs).toBeDefined();
        else expect(end).toBe(wanted === 'image' ? 'image' : 'DESCRIBE_IMAGE_UNREADABLE');
        expect(called[index]).toBeLessThanOrEqual(1);
        if (end !== 'aborted') expect(called[index]).toBe(1);
      }
      for (const bytes of most) expect(bytes).toBeLessThanOrEqual(MAX_BYTES_IN_FLIGHT);
      expect(bytesInFlight).toBe(0);
      expect(clock.pendingTimers).toBe(0);
      expect(unhandled).toEqual([]);
    }),
    { seed: 15, numRuns: 200 },
  );
}, 60_000);

import { describe, expect, it } from 'vitest';
import { sleep } from '../internal/signals.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { FakeSender } from './fake-sender.fixture.ts';
import { VisionDescriptionBatchProcessor } from './vision-description-batch-processor.ts';
import type { VisionSender } from './vision-target.ts';

const LATENCY_MS = 1_000;
const TOKENS_AN_IMAGE = 400;

/** Lets requests through at a limit a minute, with a burst of one second, as a limiter before the API does. */
function limitedSender(
  clock: ManualClock,
  limit: { readonly requests?: number; readonly tokens?: number },
): VisionSender {
  const sender = new FakeSender();
  let freeAtMs = 0;
  return {
    send: async (request, context) => {
      const images = context.requests.length;
      const costMs = Math.max(
        limit.requests === undefined ? 0 : 60_000 / limit.requests,
        limit.tokens === undefined ? 0 : (60_000 * images * TOKENS_AN_IMAGE) / limit.tokens,
      );
      const startAtMs = Math.max(clock.now() - 1_000, freeAtMs);
      freeAtMs = startAtMs + costMs;
      await sleep(Math.max(0, startAtMs - clock.now()) + LATENCY_MS, { clock, signal: context.signal });
      return sender.send(request, context);
    },
  };
}

/** Seconds until that many images are described. */
async function secondsFor(
  count: number,
  batchSize: number,
  limit: Parameters<typeof limitedSender>[1],
): Promise<number> {
  const clock = new ManualClock();
  const processor = new VisionDescriptionBatchProcessor(limitedSender(clock, limit), {
    clock,
    batchSize,
    maxConcurrentBatches: 100,
    handlerTimeoutMs: 3_600_000,
  });
  let doneAtMs = 0;
  let done = 0;
  for (let index = 0; index < count; index += 1) {
    void processor.process({ imageUrl: `https://images.test/${index}.jpg` }).then(() => {
      done += 1;
      doneAtMs = clock.now();
    });
  }
  await clock.advance(1_200_000);
  expect(done).toBe(count);
  return doneAtMs / 1_000;
}

describe('packs of 5', () => {
  it('finish at least 4.5 times sooner where requests are the limit', async () => {
    const limit = { requests: 60 };
    const singly = await secondsFor(600, 1, limit);
    const packed = await secondsFor(600, 5, limit);
    expect(packed).toBeGreaterThan(60);
    expect(singly / packed).toBeGreaterThanOrEqual(4.5);
  });

  it('are not slower where tokens are the limit', async () => {
    const limit = { tokens: 60_000 };
    expect(await secondsFor(300, 5, limit)).toBeLessThanOrEqual((await secondsFor(300, 1, limit)) * 1.02);
  });
});

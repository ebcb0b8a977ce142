import { describe, expect, it } from 'vitest';
import { sleep } from '../internal/async/signals.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { apiError, FakeSender, imagesOf } from './fake-sender.fixture.ts';
import type { VisionChatRequest, VisionSender } from './packs/vision-target.ts';
import { VisionDescriptionBatchProcessor } from './vision-description-batch-processor.ts';

const LATENCY_MS = 1_000;
const TOKENS_AN_IMAGE = 400;

/**
 * Tokens that the API reserves for a request: its text at four characters a token, its images, and its output limit.
 */
function reservedTokens(request: VisionChatRequest): number {
  const { messages, response_format: format, max_completion_tokens: limit } = request;
  const textTokens = JSON.stringify([messages, format]).length / 4;
  return textTokens + imagesOf(request).length * TOKENS_AN_IMAGE + (limit ?? 0);
}

/** Lets requests pass at a limit a minute, with a burst of one second, as a limiter in front of the API does. */
function limitedSender(
  clock: ManualClock,
  limit: { readonly requests?: number; readonly tokens?: number },
): VisionSender {
  const sender = new FakeSender();
  let freeAtMs = 0;
  return {
    send: async (request, context) => {
      const costMs = Math.max(
        limit.requests === undefined ? 0 : 60_000 / limit.requests,
        limit.tokens === undefined ? 0 : (60_000 * reservedTokens(request)) / limit.tokens,
      );
      const startAtMs = Math.max(clock.now() - 1_000, freeAtMs);
      freeAtMs = startAtMs + costMs;
      await sleep(Math.max(0, startAtMs - clock.now()) + LATENCY_MS, { clock, signal: context.signal });
      return sender.send(request, context);
    },
  };
}

/** Refuses requests above a limit a minute, with a burst of one second, as the API does. */
function refusingSender(clock: ManualClock, requestsPerMinute: number): VisionSender {
  const sender = new FakeSender();
  const gapMs = 60_000 / requestsPerMinute;
  let freeAtMs = 0;
  return {
    send: async (request, context) => {
      const startAtMs = Math.max(clock.now() - 1_000, freeAtMs);
      const waitMs = startAtMs - clock.now();
      if (waitMs > 0) {
        const headers = { 'retry-after-ms': String(Math.ceil(waitMs)) };
        throw apiError(429, 'rate_limit_exceeded', { headers });
      }
      freeAtMs = startAtMs + gapMs;
      await sleep(LATENCY_MS, { clock, signal: context.signal });
      return sender.send(request, context);
    },
  };
}

/** Seconds until that many images are described. */
async function secondsFor(
  count: number,
  batchSize: number,
  makeSender: (clock: ManualClock) => VisionSender,
  maxConcurrentBatches = 100,
): Promise<number> {
  const clock = new ManualClock();
  const processor = new VisionDescriptionBatchProcessor(makeSender(clock), {
    clock,
    batchSize,
    maxConcurrentBatches,
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
  await clock.advance(1_500_000);
  expect(done).toBe(count);
  return doneAtMs / 1_000;
}

describe('packs of 5', () => {
  it('finish at least 4.5 times sooner where a limiter lets requests through', async () => {
    const limited = (clock: ManualClock) => limitedSender(clock, { requests: 60 });
    const singly = await secondsFor(600, 1, limited);
    const packed = await secondsFor(600, 5, limited);
    expect(packed).toBeGreaterThan(60);
    expect(singly / packed).toBeGreaterThanOrEqual(4.5);
  });

  it('finish at least 4.5 times sooner where the API refuses what is too much, and nothing fails', async () => {
    const refusing = (clock: ManualClock) => refusingSender(clock, 60);
    const singly = await secondsFor(600, 1, refusing, 2);
    const packed = await secondsFor(600, 5, refusing, 2);
    expect(packed).toBeGreaterThan(60);
    expect(singly / packed).toBeGreaterThanOrEqual(4.5);
  });

  it('cost at most a hundredth more time where tokens are the limit, also with the shortest of prompts', async () => {
    const limited = (clock: ManualClock) => limitedSender(clock, { tokens: 60_000 });
    const singly = await secondsFor(300, 1, limited);
    const packed = await secondsFor(300, 5, limited);
    expect(packed / singly).toBeLessThanOrEqual(1.01);
  });
});

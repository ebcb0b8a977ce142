import { expect, it } from 'vitest';
import { FAILURE_SAMPLES } from '../../errors/failure-samples.fixture.ts';
import { FakeSender } from '../fake-sender.fixture.ts';
import { VisionDescriptionBatchProcessor } from '../vision-description-batch-processor.ts';

/** Images of the requests that are sent for a pack of four whose first request fails. */
const REQUESTS = {
  // The first half is clean, so the second half holds the image and is not sent as a whole.
  item: [4, 2, 1, 1],
  size: [4, 2, 2],
  pack: [4],
} as const;

it.each(FAILURE_SAMPLES)('a pack that fails with $name is taken apart as the table says', async (sample) => {
  const sender = new FakeSender({
    fault: (_call, number) => (number === 1 ? { error: sample.makeError() } : undefined),
  });
  const options = { batchSize: 4, maxBatchWaitMs: 1, retry: false } as const;
  const processor = new VisionDescriptionBatchProcessor(sender, options);
  const urls = [1, 2, 3, 4].map((number) => `https://images.example/${number}.png`);
  await Promise.allSettled(urls.map((imageUrl) => processor.process({ imageUrl })));
  expect(sender.calls.map((call) => call.urls.length)).toEqual(REQUESTS[sample.row.blames]);
  await processor.close();
});

// Run by process-exit.integration.test.ts. Uses everything, then closes or leaves it. The process must end by itself.
import { systemClock } from '../internal/clock.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';

process.on('unhandledRejection', (reason) => {
  process.stderr.write(`${String(reason)}\n`);
  process.exit(2);
});

const [mode = '', baseURL = '', apiKey = '', redisUrl = ''] = process.argv.slice(2);
const client = createDescribeClient({
  apiKey,
  baseURL,
  redis: redisUrl,
  batch: { batchSize: 2, maxBatchWaitMs: 5 },
  attemptTimeoutMs: 2_000,
  retry: { initialDelayMs: 5, maxDelayMs: 20 },
});
await client.warmUp();
const images = Array.from({ length: 50 }, (_, seed) => createTestImage({ seed: 5000 + seed }));
let described = 0;
for await (const { status } of client.describeMany(images)) described += status === 'fulfilled' ? 1 : 0;
await client.metrics();
if (mode === 'close') {
  await client.close();
  const openHandles = () => process.getActiveResourcesInfo().filter((name) => !/^(TTYWrap|PipeWrap)$/.test(name));
  // Sockets of the fake server may take some turns to end.
  let left = openHandles();
  for (let look = 0; look < 200 && left.length > 0; look += 1) {
    await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, 10));
    left = openHandles();
  }
  if (left.length > 0) process.stdout.write(`left: ${left.join(', ')}\n`);
}
process.stdout.write(`described ${described}\n`);

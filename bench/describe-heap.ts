/**
 * Tests whether the client leaks memory: a million `describe()` calls, 32 in flight, against a server in a process of
 * its own. Four of five calls are of 5,000 cached images, and every fifth is of a new one. The heap is measured after a
 * collection. Ends with an error when it grew.
 *   node bench/describe-heap.ts [--calls 1000000]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createDescribeClient } from '../src/index.ts';
import { createTestImage } from '../src/testing/index.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '1000000' } } });
const ROUNDS = 10;
const CALLS_A_ROUND = Math.ceil(Number(values.calls) / ROUNDS);
const IN_FLIGHT = 32;
const KNOWN_IMAGES = 5_000;
const MISS_EVERY = 5;
const MIB = 1024 * 1024;
const MAX_GROWTH_MIB = 2;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heapMiB(): Promise<number> {
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  return process.memoryUsage().heapUsed / MIB;
}

const picture = createTestImage({ width: 16, height: 16 });
/** Bytes after the end of the picture, which no decoder reads, change the content but not the picture. */
const imageOf = (number: number) => Buffer.concat([picture, Buffer.from(String(number))]);

const child = fork(new URL('./openai-transport-server.ts', import.meta.url), { execArgv: [] });
const [address] = (await once(child, 'message')) as [{ port: number }];
const client = createDescribeClient({
  apiKey: 'sk-bench',
  baseURL: `http://127.0.0.1:${address.port}/v1`,
  pool: { max: IN_FLIGHT },
});

const sources: Record<string, number> = {};
let calls = 0;

async function lane(until: number): Promise<void> {
  while (calls < until) {
    calls += 1;
    const number = calls % MISS_EVERY === 0 ? KNOWN_IMAGES + calls : calls % KNOWN_IMAGES;
    const { source } = await client.describe(imageOf(number));
    sources[source] = (sources[source] ?? 0) + 1;
  }
}

/** The first rounds fill the cache to its bound, and the engine compiles. */
const WARM_UP_ROUNDS = 2;
const heaps: number[] = [];
const startedAtMs = performance.now();
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
  const until = calls + CALLS_A_ROUND;
  await Promise.all(Array.from({ length: IN_FLIGHT }, () => lane(until)));
  const heap = await heapMiB();
  const isWarmUp = round < WARM_UP_ROUNDS;
  if (round >= WARM_UP_ROUNDS - 1) heaps.push(heap);
  const entries = client.cache?.getStats().memory.entries;
  console.log(`${calls} calls${isWarmUp ? ' (warm-up)' : ''}: heap ${heap.toFixed(2)} MiB, ${entries} entries cached`);
}
const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
const [first = 0] = heaps;
const growth = (heaps.at(-1) ?? 0) - first;
console.log(sources);
console.log(
  `${calls} calls in ${seconds} s: heap ${first.toFixed(2)} MiB before, ${(first + growth).toFixed(2)} MiB after`,
);
await client.close();
child.disconnect();
if (growth > MAX_GROWTH_MIB) throw new Error(`the heap grew by ${growth.toFixed(1)} MiB`);

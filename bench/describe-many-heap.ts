/**
 * Tests the bounds of `describeMany`: a million distinct inputs of a generator, against a server in a process of its
 * own. The heap is measured after a collection, from before the first input. It also counts how far inputs are read
 * ahead of the results. Then consumers stop early in three ways, and a slow server tells when their requests ended.
 * Ends with an error when a bound is passed.
 *   node bench/describe-many-heap.ts [--inputs 1000000] [--stops 300]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { createDescribeClient, type DescribeClient } from '../src/index.ts';
import { createTestImage } from '../src/testing/index.ts';
import { collectGarbage } from './harness/collect-garbage.ts';

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, stops: { type: 'string', default: '300' } },
});
const INPUTS = Number(values.inputs);
const STOPS = Number(values.stops);
const CONCURRENCY = 32;
const SAMPLES = 10;
const MIB = 1024 * 1024;
const MAX_GROWTH_MIB = 50;
/** Longest time, but for one of twenty, from the end of an iteration to the end of its requests at the server. */
const MAX_ABORT_MS = 50;

const quantile = (values: readonly number[], ratio: number): number => {
  const sorted = values.toSorted((left, right) => left - right);
  return Number(sorted[Math.ceil(ratio * sorted.length) - 1]?.toFixed(1));
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function heapMiB(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await pause(20);
    collectGarbage();
  }
  return process.memoryUsage().heapUsed / MIB;
}

const picture = createTestImage({ width: 16, height: 16 });
/** Bytes after the end of the picture, which no decoder reads, change the content but not the picture. */
const imageOf = (number: number) => Buffer.concat([picture, Buffer.from(String(number))]);

/** Describes all inputs. Returns the growth of the heap, and the most inputs that were read and not yet yielded. */
async function describeAll(client: DescribeClient) {
  let read = 0;
  let yielded = 0;
  let readAhead = 0;
  function* inputs() {
    while (read < INPUTS) {
      read += 1;
      readAhead = Math.max(readAhead, read - yielded);
      yield imageOf(read);
    }
  }
  const before = await heapMiB();
  let growth = 0;
  const startedAtMs = performance.now();
  for await (const item of client.describeMany(inputs(), { concurrency: CONCURRENCY })) {
    yielded += 1;
    if (item.status === 'rejected') throw item.reason;
    if (yielded % Math.ceil(INPUTS / SAMPLES) !== 0) continue;
    const heap = await heapMiB();
    growth = Math.max(growth, heap - before);
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
    console.log(`${yielded} inputs in ${seconds} s: heap ${heap.toFixed(1)} MiB, ${before.toFixed(1)} before`);
  }
  if (yielded !== INPUTS) throw new Error(`${yielded} of ${INPUTS} inputs were yielded`);
  return { growth, readAhead };
}

const STOP_WAYS = ['break', 'throw', 'abort'] as const;
type StopWay = (typeof STOP_WAYS)[number];

/** Answers the first request of an iteration, and none of the others. Tells when the last of those has ended. */
async function openSlowServer() {
  let isFirst = true;
  let open = 0;
  let ended = () => {};
  const answer = JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4.1-mini',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A cat.' } }],
  });
  const server = createServer((request, response) => {
    request.resume();
    if (isFirst) {
      isFirst = false;
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(answer));
      return;
    }
    open += 1;
    response.on('close', () => {
      open -= 1;
      if (open === 0) ended();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    open: () => open,
    next: () => {
      isFirst = true;
    },
    allEnded: () =>
      new Promise<number>((resolve) => {
        ended = () => resolve(performance.now());
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

type SlowServer = Awaited<ReturnType<typeof openSlowServer>>;

/** Stops one iteration with requests in work. Returns the milliseconds until the server saw the last of them end. */
async function stopOnce(client: DescribeClient, server: SlowServer, way: StopWay, from: number) {
  server.next();
  let number = from;
  let isClosed = false;
  function* inputs() {
    try {
      while (true) {
        number += 1;
        yield imageOf(number);
      }
    } finally {
      isClosed = true;
    }
  }
  const controller = new AbortController();
  let stoppedAtMs = Number.NaN;
  let ended: Promise<number> | undefined;
  try {
    for await (const item of client.describeMany(inputs(), { concurrency: 8, signal: controller.signal })) {
      if (item.status === 'rejected') throw item.reason;
      while (server.open() < 7) await pause(1);
      ended = server.allEnded();
      stoppedAtMs = performance.now();
      if (way === 'break') break;
      if (way === 'throw') throw new Error('the consumer failed');
      controller.abort(new Error('the consumer left'));
    }
  } catch (error) {
    if (!/^the consumer/.test((error as Error).message)) throw error;
  }
  const endedAtMs = (await ended) ?? Number.NaN;
  await pause(0);
  if (!isClosed) throw new Error(`the generator was not closed after ${way}`);
  return endedAtMs - stoppedAtMs;
}

/** Stops many iterations. Returns the slowest end of requests, and the growth of the heap since the first tenth. */
async function stopEarly() {
  const server = await openSlowServer();
  const client = createDescribeClient({ apiKey: 'sk-bench', baseURL: server.baseURL, pool: { max: 8 }, cache: false });
  const msOf: Record<StopWay, number[]> = { break: [], throw: [], abort: [] };
  let before = Number.NaN;
  for (let stop = 0; stop < STOPS; stop += 1) {
    const way = STOP_WAYS[stop % STOP_WAYS.length] ?? 'break';
    const ms = await stopOnce(client, server, way, stop * 1_000);
    msOf[way].push(ms);
    if (stop === Math.floor(STOPS / 10)) before = await heapMiB();
  }
  const growth = (await heapMiB()) - before;
  const { admission, routing, pools } = client.stats();
  const borrowed = Object.values(pools).reduce((sum, pool) => sum + pool.borrowed, 0);
  const left = {
    calls: admission.calls,
    bytes: admission.bytesInFlight,
    queued: routing.queued,
    sent: routing.inFlight,
    borrowed,
  };
  await client.close();
  server.close();
  return { msOf, growth, left };
}

const child = fork(new URL('./openai-transport-server.ts', import.meta.url), { execArgv: [] });
const [address] = (await once(child, 'message')) as [{ port: number }];
const client = createDescribeClient({
  apiKey: 'sk-bench',
  baseURL: `http://127.0.0.1:${address.port}/v1`,
  pool: { max: CONCURRENCY },
});
const whole = await describeAll(client);
await client.close();
child.disconnect();
console.log(
  `${INPUTS} inputs: the heap grew by ${whole.growth.toFixed(1)} MiB; at most ${whole.readAhead} inputs were read ahead`,
);

const early = await stopEarly();
const lateMs: number[] = [];
for (const [way, ms] of Object.entries(early.msOf)) {
  const [median, late, slowest] = [0.5, 0.95, 1].map((ratio) => quantile(ms, ratio));
  lateMs.push(late ?? Number.NaN);
  console.log(`${way}: requests ended after a median of ${median} ms, p95 ${late} ms, at most ${slowest} ms`);
}
console.log(`${STOPS} early ends: the heap grew by ${early.growth.toFixed(2)} MiB; left:`, early.left);

const failures = [
  whole.growth > MAX_GROWTH_MIB && `the heap grew by ${whole.growth.toFixed(1)} MiB`,
  whole.readAhead > CONCURRENCY && `${whole.readAhead} inputs were read ahead`,
  Math.max(...lateMs) > MAX_ABORT_MS && 'requests outlived their iteration',
  early.growth > 2 && `early ends left ${early.growth.toFixed(1)} MiB`,
  Object.values(early.left).some((count) => count > 0) && 'early ends left calls, bytes or connections in use',
].filter((failure) => failure !== false);
if (failures.length > 0) throw new Error(failures.join('; '));

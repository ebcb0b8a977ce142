// Every row of the fault table against a client of one endpoint and of two. Prints a table of the outcomes, the number
// of requests, the time, and the tokens that are billed twice. Exits with 1 when a promise is broken.
//   node bench/chaos-matrix.ts [calls a cell, default 100]
import { createDescribeClient } from '../src/index.ts';
import { createTestImage, type Fault, type FaultRule, readImageFacts, startFakeOpenAI } from '../src/testing/index.ts';

const calls = Number(process.argv[2] ?? 100);
const MAX_ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 500;
const CONCURRENCY = 8;

interface Row {
  readonly name: string;
  readonly fault: Fault;
  /** Share of the first endpoint's requests that get the fault. */
  readonly probability: number;
  /** Whether the fault is the image's own: then it happens at every endpoint, and the call fails with one request. */
  readonly isItemFault?: boolean;
  /** Whether the fault stops its endpoint or group, so that one request meets it and no more. */
  readonly stops?: boolean;
}

const error = (status: number, code?: string, retryAfterMs?: number): Fault => ({
  kind: 'error',
  status,
  ...(code === undefined ? {} : { code }),
  ...(retryAfterMs === undefined ? {} : { retryAfter: { form: 'milliseconds', ms: retryAfterMs } }),
});

const ROWS: readonly Row[] = [
  { name: '429 rate_limit_exceeded', fault: error(429, 'rate_limit_exceeded', 100), probability: 0.1 },
  { name: '429 slow_down', fault: error(429, 'slow_down', 100), probability: 0.1 },
  { name: '429 insufficient_quota', fault: error(429, 'insufficient_quota'), probability: 1, stops: true },
  { name: '401 invalid_api_key', fault: error(401, 'invalid_api_key'), probability: 1, stops: true },
  { name: '503 server_is_overloaded', fault: error(503, 'server_is_overloaded'), probability: 0.1 },
  { name: '500', fault: error(500), probability: 0.1 },
  { name: '502', fault: error(502), probability: 0.1 },
  { name: '504', fault: error(504), probability: 0.1 },
  { name: '408', fault: error(408), probability: 0.1 },
  { name: '409', fault: error(409), probability: 0.1 },
  { name: 'reset before the answer', fault: { kind: 'reset', at: 'before-answer' }, probability: 0.1 },
  { name: 'reset in the body', fault: { kind: 'reset', at: 'mid-body' }, probability: 0.1 },
  { name: 'hang', fault: { kind: 'hang' }, probability: 0.1 },
  { name: 'stalled body', fault: { kind: 'stall' }, probability: 0.1 },
  { name: 'cut JSON', fault: { kind: 'truncate', where: 'body' }, probability: 0.1 },
  { name: '400 invalid_image', fault: error(400, 'invalid_image'), probability: 0.1, isItemFault: true },
  {
    name: '400 context_length_exceeded',
    fault: error(400, 'context_length_exceeded'),
    probability: 0.1,
    isItemFault: true,
  },
  { name: 'refusal', fault: { kind: 'refusal' }, probability: 0.1, isItemFault: true },
  {
    name: 'finish_reason length',
    fault: { kind: 'finish', reason: 'length' },
    probability: 0.1,
    isItemFault: true,
  },
  { name: 'no answer at all (outage)', fault: { kind: 'reset', at: 'before-answer' }, probability: 1 },
];

interface Cell {
  readonly success: number;
  readonly attemptsPerCall: number;
  readonly mostAttempts: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly billedTwice: number;
  readonly atFaultyKey: number;
}

const faultOf = (row: Row): FaultRule => ({
  when: {
    probability: row.probability,
    endpoint: 'chat',
    ...(row.isItemFault === true ? { drawPer: 'image' as const } : { apiKey: 'sk-a' }),
  },
  fault: row.fault,
});

const percentile = (sorted: readonly number[], ratio: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * ratio))] ?? 0;

async function measure(row: Row | undefined, keys: readonly string[]): Promise<Cell> {
  await using server = await startFakeOpenAI({
    apiKeys: ['sk-a', 'sk-b'],
    quotaGroups: ['a', 'b'].map((name) => ({
      name,
      organization: `org-${name}`,
      apiKeys: [`sk-${name}`],
      limits: { requestsPerMinute: 1_000_000 },
    })),
    latency: { distribution: 'uniform', minMs: 10, maxMs: 30 },
  });
  await using client = createDescribeClient({
    endpoints: keys.map((apiKey) => ({ name: apiKey.slice(-1), apiKey, baseURL: server.baseURL })),
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    timeoutMs: 10_000,
    cache: false,
    monitor: false,
    retry: { maxAttempts: MAX_ATTEMPTS },
  });
  const images = Array.from({ length: calls }, (_, seed) => createTestImage({ seed, width: 8, height: 8 }));
  // Successful calls fill the retry budget, as in a process that has run for a while.
  const warmUp = Array.from({ length: calls }, (_, seed) => createTestImage({ seed: 1_000_000 + seed }));
  for await (const _ of client.describeMany(warmUp, { concurrency: CONCURRENCY }));
  server.reset();
  if (row !== undefined) server.setFaults([faultOf(row)]);
  const durations: number[] = [];
  let succeeded = 0;
  for await (const item of client.describeMany(images, { concurrency: CONCURRENCY })) {
    if (item.status !== 'fulfilled') continue;
    succeeded += 1;
    durations.push(item.value.explain.totalMs);
  }
  const { images: seen } = server.getStats();
  const chats = server.seen().filter(({ endpoint }) => endpoint === 'chat');
  const byImage = images.map((image) => seen[readImageFacts(image).hash.slice(0, 12)]);
  const sorted = durations.sort((a, b) => a - b);
  return {
    success: succeeded / calls,
    attemptsPerCall: chats.length / calls,
    mostAttempts: Math.max(...byImage.map((image) => image?.requests ?? 0)),
    medianMs: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    billedTwice: byImage.filter((image) => (image?.billed ?? 0) > 1).length,
    atFaultyKey: chats.filter(({ fault }) => fault !== undefined).length,
  };
}

const broken: string[] = [];

function check(row: Row, endpoints: number, cell: Cell): void {
  // A kept-alive socket that dies before any byte is no failed attempt: its request is sent again, once for each call.
  const cap = MAX_ATTEMPTS + endpoints - 1 + (row.name === 'reset before the answer' ? 1 : 0);
  const name = `${row.name}, ${endpoints} endpoints`;
  if (cell.mostAttempts > cap) broken.push(`${name}: ${cell.mostAttempts} requests for one call`);
  if (row.isItemFault === true && cell.mostAttempts > 1) broken.push(`${name}: a poison item was sent again`);
  // Calls that were sent before the first refusal can't be stopped.
  if (row.stops === true && cell.atFaultyKey > CONCURRENCY) broken.push(`${name}: ${cell.atFaultyKey} refusals`);
  if (endpoints > 1 && row.isItemFault !== true && cell.success < 1)
    broken.push(`${name}: ${calls * (1 - cell.success)} calls failed beside a good endpoint`);
}

const show = (cell: Cell, base: Cell) =>
  [
    `${(cell.success * 100).toFixed(0)} %`,
    cell.attemptsPerCall.toFixed(2),
    cell.mostAttempts,
    `${Math.round(cell.medianMs - base.medianMs)} / ${Math.round(cell.p99Ms - base.p99Ms)}`,
    cell.billedTwice,
  ].join(' | ');

const SETS = [['sk-a'], ['sk-a', 'sk-b']] as const;
const bases = [await measure(undefined, SETS[0]), await measure(undefined, SETS[1])] as const;
const columns = '| success | requests a call | most | added ms p50 / p99 | billed twice ';
console.log(`| fault, share ${columns}${columns}|\n|---${'|---'.repeat(10)}|`);
for (const row of ROWS) {
  const one = await measure(row, SETS[0]);
  const two = await measure(row, SETS[1]);
  check(row, 1, one);
  check(row, 2, two);
  console.log(`| ${row.name}, ${row.probability * 100} % | ${show(one, bases[0])} | ${show(two, bases[1])} |`);
}
for (const promise of broken) console.error(`BROKEN: ${promise}`);
process.exitCode = broken.length > 0 ? 1 : 0;
